"""The pages of blueprints: what is in force, where the database differs, applying a file after a look at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from doorward.identity.applications.models import Application
from doorward.identity.blueprints.actions import apply_changed
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.directory.models import Group
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
AT = "/if/admin/blueprints/"
NIGHT = (
    "version: 1\nmetadata:\n  name: Night watch\nentries:\n"
    "  - model: authentik_core.group\n    identifiers: {name: night}\n    attrs: {attributes: {floor: 1}}\n"
)


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.BLUEPRINTS = (str(tmp_path),)
    return tmp_path


def test_a_change_by_hand_is_shown_both_ways_and_taken_back(admin: Visitor, folder: Path) -> None:
    """The list counts what differs, the page says what each side says, and a button brings them back in line."""
    (folder / "night.yaml").write_text(NIGHT)
    apply_changed()
    assert "In line" in admin.open(AT)
    Group.objects.filter(name="night").update(attributes={"floor": 9})
    assert "1 object differs" in admin.open(AT)
    page = f"{AT}{BlueprintInstance.objects.get().pk}/"
    text = admin.open(page)
    assert "{'floor': 9}" in text
    assert "{'floor': 1}" in text

    assert "Applied: 1 changed." in admin.succeed(f"{page}apply/", at=page)
    assert "The database says the same as the blueprint." in admin.open(page)
    assert "switched off" in admin.succeed(f"{page}switch/", at=page)
    assert "is taken in again" in admin.open(f"{page}delete/")


def test_what_is_wrong_with_a_file_stands_on_its_page(admin: Visitor, folder: Path) -> None:
    """With file, line and what was meant."""
    (folder / "night.yaml").write_text(NIGHT.replace("{name: night}", "{nam: night}"))
    apply_changed()
    instance = BlueprintInstance.objects.get()

    assert "Cannot be compared" in admin.open(AT)
    text = admin.open(f"{AT}{instance.pk}/")
    assert "night.yaml:6: entries[0].identifiers.nam" in text
    assert "did you mean 'name'?" in text
    admin.send(f"{AT}{instance.pk}/apply/", at=f"{AT}{instance.pk}/")
    assert "It cannot be applied" in admin.open(f"{AT}{instance.pk}/")


def test_a_text_is_looked_at_first_and_then_applied_and_kept(admin: Visitor) -> None:
    """Nothing happens before somebody says so; with a name it stays on the list."""
    admin.send(f"{AT}apply/", text=NIGHT, name="Night")
    assert "Nothing has happened yet" in admin.text
    assert "to be made" in admin.text
    assert not Group.objects.filter(name="night").exists()
    admin.send(f"{AT}apply/", text=NIGHT, name="Night", sure="on")

    assert admin.answer.status_code == 303
    assert Group.objects.get(name="night").attributes == {"floor": 1}
    assert BlueprintInstance.objects.get(name="Night").status == "successful"
    assert admin.send(f"{AT}apply/", text=NIGHT.replace("version: 1", "version: 3")).status_code == 400
    assert "only version 1 is known" in admin.text
    assert admin.send(f"{AT}apply/").status_code == 400


def test_every_object_shows_itself_as_a_blueprint(admin: Visitor, whoami: Application) -> None:
    """From its page, to read and to download."""
    admin.open(f"/if/admin/applications/{whoami.slug}/")
    assert 'href="/if/admin/blueprints/of/application/whoami/"' in admin.raw
    assert "authentik_providers_proxy.proxyprovider" in admin.open(f"{AT}of/application/whoami/")
    assert admin.get(f"{AT}of/application/whoami/?download")["Content-Disposition"].endswith(
        '"application-whoami.yaml"'
    )
    admin.open(f"/if/admin/providers/{whoami.provider_id}/")
    assert f'href="/if/admin/blueprints/of/provider/{whoami.provider_id}/"' in admin.raw
    for missing in ("application/none/", "user/none/", "none/none/"):
        assert admin.get(f"{AT}of/{missing}").status_code == 404


def test_the_page_of_every_kind_leads_to_its_blueprint(admin: Visitor, whoami: Application) -> None:
    """Sources, policies, stages, roles, notification rules …: whatever has a page that shows one of them."""
    from django.apps import apps
    from django.urls import reverse

    from doorward.identity.notifications.models import Rule, Transport
    from doorward.identity.roles.models import Role
    from doorward.identity.sources.ldap.models import LDAPSource
    from doorward.identity.sources.models import OAuthSource
    from doorward.identity.web.pages.blueprint_links import PAGES

    for model, fields in (
        (Role, {}),
        (Rule, {}),
        (Transport, {"mode": "local"}),
        (OAuthSource, {"slug": "forge", "provider_type": "github", "consumer_key": "doorward"}),
        (LDAPSource, {"slug": "ldap", "server_uri": "ldap://127.0.0.1:1", "base_dn": "dc=test"}),
    ):
        if not model._default_manager.exists():
            model._default_manager.create(name=f"Some {model.__name__}", **fields)
    for page, shown in PAGES.items():
        # The page of sources sends directories to their own.
        model = OAuthSource if shown.kind == "source" else apps.get_model(shown.model)
        one = model._default_manager.earliest("pk")
        key = one.slug if shown.argument == "slug" else one.pk
        address = f"{AT}of/{shown.kind}/{key}/"
        assert admin.get(reverse(page, args=[key])).status_code == 200, page
        assert f'href="{address}"' in admin.raw, page
        assert "version: 1" in admin.open(address), page
