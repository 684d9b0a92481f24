"""The administrators' pages about sources that people come from by a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from doorward.identity.directory.models import Group, User
from doorward.identity.egress import documents
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.sources.models import OAuthSource, UserSourceConnection
from doorward.identity.stages.models import IdentificationStage
from identity.sources.issuer import Issuer, running

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("login_flows")]
NEW, ROOT = "/if/admin/new/source/", "/if/admin/sources/"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    documents.forget()
    with running() as issuer:
        yield issuer


@pytest.fixture
def admin(client: Client, akadmin: User) -> Client:
    client.force_login(akadmin)
    return client


def fields(**more: Any) -> dict[str, Any]:
    flow = {slug: Flow.objects.get(slug=f"default-source-{slug}").pk for slug in ("authentication", "enrollment")}
    return {
        "name": "Upstream",
        "slug": "upstream",
        "enabled": "on",
        "consumer_key": "doorward",
        "consumer_secret": "s3cret & more",
        "pkce": "S256",
        "authorization_code_auth_method": "basic_auth",
        "user_matching_mode": "identifier",
        "group_matching_mode": "identifier",
        "policy_engine_mode": "any",
        "user_path_template": "goauthentik.io/sources/%(slug)s",
        "authentication_flow": flow["authentication"],
        "enrollment_flow": flow["enrollment"],
        **more,
    }


def made(admin: Client, issuer: Issuer) -> dict[str, Any]:
    """What was sent to set the source up."""
    sent = fields(oidc_well_known_url=f"{issuer.url}/.well-known/openid-configuration")
    answer = admin.post(f"{NEW}oauth/", sent)
    assert (answer.status_code, answer["Location"]) == (303, f"{ROOT}upstream/"), answer.content.decode()
    return sent


def test_a_provider_is_set_up_changed_and_removed(admin: Client, issuer: Issuer) -> None:
    """The form makes it, its secret is never shown and stays where it is, and its page says what is lost."""
    sent = made(admin, issuer)
    page = admin.get(f"{ROOT}upstream/").content.decode()
    assert "https://auth.example.test/source/oauth/callback/upstream/" in page
    assert "s3cret" not in page  # S-605
    assert "Upstream" in admin.get(ROOT).content.decode()

    changed = admin.post(f"{ROOT}upstream/", {**sent, "consumer_secret": "", "name": "Renamed"})
    assert changed.status_code == 303, changed.content.decode()
    source = OAuthSource.objects.get()
    assert (source.name, source.consumer_secret) == ("Renamed", "s3cret & more")
    moved = {**sent, "consumer_secret": "", "oidc_well_known_url": "https://evil.test/.well-known/openid-configuration"}
    assert "Enter the secret again" in admin.post(f"{ROOT}upstream/", moved).content.decode()

    assert admin.post(f"{ROOT}upstream/switch/").status_code == 303
    assert not OAuthSource.objects.get().enabled
    asked = admin.get(f"{ROOT}upstream/delete/").content.decode()
    assert "Those who came through it stay" in asked
    assert admin.post(f"{ROOT}upstream/delete/").status_code == 303
    assert not OAuthSource.objects.exists()
    assert "s3cret" not in str(list(Event.objects.values_list("context", flat=True)))


def test_a_preset_fills_the_form_in(admin: Client) -> None:
    """Name, slug, the address to register, and no addresses to type where the provider's are known."""
    assert f'href="{NEW}oauth/?preset=google"' in admin.get(NEW).content.decode()
    page = admin.get(f"{NEW}oauth/?preset=google").content.decode()

    assert 'value="Google"' in page and "/source/oauth/callback/google/" in page
    assert "Well-known URL" not in page
    assert admin.post(f"{NEW}oauth/?preset=google", fields(name="Google", slug="google")).status_code == 303
    assert OAuthSource.objects.get().provider_type == "google"
    assert 'value="google-2"' in admin.get(f"{NEW}oauth/?preset=google").content.decode()
    again = admin.post(f"{NEW}oauth/?preset=google", fields(name="Other", slug="google"))
    assert "source with this slug already" in again.content.decode()


def test_trying_says_what_is_wrong(admin: Client, issuer: Issuer) -> None:
    """Discovery, keys, abilities and the client's secret, each with a sentence."""
    made(admin, issuer)
    good = admin.get(f"{ROOT}upstream/?try").content.decode()
    assert f"It is {issuer.url}" in good and "1 key for signatures (ES256)" in good and "It knows the client" in good

    issuer.metadata = {"code_challenge_methods_supported": ["plain"], "scopes_supported": ["openid"]}
    issuer.refuses_client = True
    bad = admin.get(f"{ROOT}upstream/?try").content.decode()
    assert "PKCE with S256" in bad and "email profile" in bad and "does not know this client ID" in bad
    issuer.metadata = {"issuer": "https://evil.test"}
    assert "is of the issuer https://evil.test" in admin.get(f"{ROOT}upstream/?try").content.decode()


def test_who_is_offered_it(admin: Client, issuer: Issuer, staff: Group) -> None:
    """A group is bound on the page, and taken off again."""
    made(admin, issuer)
    assert admin.post(f"{ROOT}upstream/access/", {"group": str(staff.pk)}).status_code == 303
    binding = OAuthSource.objects.get().bindings.get()
    page = admin.get(f"{ROOT}upstream/").content.decode()
    assert f"{ROOT}upstream/access/{binding.pk}/remove/" in page
    assert admin.post(f"{ROOT}upstream/access/{binding.pk}/remove/").status_code == 303
    assert "one of them" in admin.post(f"{ROOT}upstream/access/", {}).content.decode()


def test_a_source_can_be_had_as_a_blueprint(admin: Client, issuer: Issuer) -> None:
    """Its page leads to the text, without the secret."""
    made(admin, issuer)
    text = admin.get("/if/admin/blueprints/of/source/upstream/").content.decode()

    assert "authentik_sources_oauth.oauthsource" in text
    assert "s3cret" not in text  # S-605
    assert "/if/admin/blueprints/of/source/upstream/" in admin.get(f"{ROOT}upstream/").content.decode()


def test_the_page_counts_who_would_be_locked_out(admin: Client, issuer: Issuer, bob: User) -> None:
    """Before it is deleted: who has no password and came through it."""
    made(admin, issuer)
    bob.set_unusable_password()
    bob.save()
    UserSourceConnection.objects.create(source=OAuthSource.objects.get(), user=bob, identifier="42")
    asked = admin.get(f"{ROOT}upstream/delete/").content.decode()

    assert "1 person is no longer connected" in asked
    assert "1 of them has no password" in asked
    assert not IdentificationStage.objects.filter(sources__slug="upstream").exists()


def test_connecting_leaves_by_a_page_of_its_own(admin: Client, issuer: Issuer) -> None:
    """Browsers hold form-action against a form whose answer redirects to another origin: the page goes on by itself."""
    made(admin, issuer)
    page = admin.post("/if/user/sources/upstream/connect/")

    assert page.status_code == 200
    assert f"0; url={issuer.url}/authorize?" in page.content.decode()
