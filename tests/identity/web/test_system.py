"""Overview, tokens, flows, events."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.outposts.actions import create_proxy_provider
from doorward.identity.outposts.models import ProxyProvider
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
LOGIN = "/if/flow/default-authentication-flow/"


def test_the_overview_of_a_new_installation_tells_what_to_do(admin: Visitor) -> None:
    """Three steps, nothing protected, nothing wrong."""
    text = admin.open("/if/admin/")

    assert "What to do next" in text
    assert "None yet: every other host" in text
    assert "Not finished" not in text


def test_the_steps_go_away_when_they_are_done(admin: Visitor, whoami: Application, bob: User) -> None:
    """The demonstration application does not count as one's own."""
    assert "Protect your first application" in admin.open("/if/admin/")
    whoami.slug = "wiki"
    whoami.save()

    assert "What to do next" not in admin.open("/if/admin/")
    assert "https://app.example.test" in admin.text


def test_forgotten_steps_are_named(admin: Visitor, whoami: Application) -> None:
    """A provider without application; two that claim one host."""
    flow = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    second = create_proxy_provider(
        Actor.system(),
        name="second",
        external_host="https://app.example.test",
        authorization_flow=flow,
        invalidation_flow=flow,
        mode=ProxyProvider.Mode.FORWARD_SINGLE,
    )
    assert "Nobody can use the provider “second”" in admin.open("/if/admin/")
    Application.objects.create(name="Second", slug="second", provider_id=second.pk)
    assert "“Second” is not protected" in admin.open("/if/admin/")
    second.outposts.set(whoami.provider.outposts.all() if whoami.provider else [])

    assert "2 applications claim https://app.example.test" in admin.open("/if/admin/")


def test_plain_http_is_a_warning(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords can be read on the way."""
    assert "plain http" not in admin.open("/if/admin/")
    monkeypatch.setattr(settings, "EXTERNAL", settings.EXTERNAL._replace(scheme="http"))

    page = admin.client.get("/if/admin/", headers={"X-Forwarded-Proto": "https"})
    assert "People log in over plain http" in page.content.decode()


def test_a_token_for_somebody_else(admin: Visitor, bob: User) -> None:
    """Shown once; in the list without its key; deleted after a question."""  # S-608
    fields = {"user": "bob", "identifier": "bobs-script", "intent": "api", "life": "365", "description": "nightly"}
    assert admin.send("/if/admin/new/token/", **fields).status_code == 200
    key = re.search(r"<code>([A-Za-z0-9]{60})<", admin.raw)
    assert key
    token = token_by_key(key[1], [Token.Intent.API])
    assert token is not None
    assert token.user == bob

    text = admin.open("/if/admin/tokens/?q=nightly")
    assert "bobs-script" in text
    assert key[1] not in text
    assert "of bob?" in admin.open("/if/admin/tokens/bobs-script/delete/")
    admin.succeed("/if/admin/tokens/bobs-script/delete/")
    assert token_by_key(key[1], [Token.Intent.API]) is None


def test_a_token_that_cannot_be(admin: Visitor) -> None:
    """400, at the field."""
    answer = admin.send("/if/admin/new/token/", user="nobody", identifier="x", intent="api", life="1")

    assert answer.status_code == 400
    assert "There is no user “nobody”." in admin.text


def test_the_compatibility_switch(admin: Visitor) -> None:
    """Under “Behavior settings”, as the manuals say; kept, with an event, and honest about what it does."""
    page = "/if/admin/flows/default-authentication-flow/"
    text = admin.open(page)
    for words in ("Behavior settings", "Compatibility mode", "the switch changes nothing", "Asks for the password"):
        assert words in text

    admin.succeed(page, compatibility_mode="on")

    assert Flow.objects.get(slug="default-authentication-flow").compatibility_mode
    changed = Event.objects.get(action="model_updated")
    assert changed.context["diff"]["compatibility_mode"] == {"previous_value": False, "new_value": True}
    admin.succeed(page)
    assert not Flow.objects.get(slug="default-authentication-flow").compatibility_mode


def test_all_flows_are_listed(admin: Visitor) -> None:
    """The defaults, by slug."""
    text = admin.open("/if/admin/flows/")

    assert all(flow.slug in text for flow in Flow.objects.all())


def test_events_are_filtered_by_what_and_who(admin: Visitor, bob: User, password: str) -> None:
    """Newest first; a failed login counts for the name that was typed."""
    Visitor("bob", password)
    events.record("login_failed", "authentik.core", Actor.system(), username="trudy")

    assert "bob</strong> logged in" in admin.open("/if/admin/events/?action=login")
    assert "trudy" not in admin.text
    assert "trudy</strong> failed to log in" in admin.open("/if/admin/events/?q=trudy")
    assert "bob" not in admin.open("/if/admin/events/?q=trudy").partition('id="results"')[2]
    assert "Nothing found" in admin.open("/if/admin/events/?action=secret_rotate")


def test_an_event_in_full(admin: Visitor, bob: User) -> None:
    """Who, from where, what changed from what to what, the request's number."""
    admin.succeed(reverse("admin-user-edit", args=[bob.pk]), username="bob", name="Robert", type="internal")
    changed = Event.objects.get(action="model_updated", context__model__pk=str(bob.pk))

    text = admin.open(reverse("admin-event", args=[changed.pk]))

    assert "akadmin changed" in text
    assert "Robert" in text
    assert changed.context["http_request"]["request_id"] in text


def test_a_notice_is_read_once(admin: Visitor) -> None:
    """It belongs to what was just done."""
    assert "is created" in admin.succeed("/if/admin/new/group/", name="x")
    assert "is created" not in admin.open("/if/admin/groups/")


def test_links_stand_at_the_foot_of_every_page(admin: Visitor) -> None:
    """An imprint, also where strangers log in; a name without an address is a text."""
    links = '[{"name": "Imprint <b>", "href": "https://example.test/imprint?a=1&b=2"}, {"name": "Ward 4"}]'
    sizes = {"pagination_default_page_size": "20", "pagination_max_page_size": "100"}
    admin.succeed(
        "/if/admin/settings/", footer_links=links, event_retention="days=365", default_token_duration="days=1", **sizes
    )

    for visitor, page in ((admin, "/if/admin/"), (admin, "/if/user/"), (Visitor(), LOGIN)):
        visitor.open(page)
        assert '<a href="https://example.test/imprint?a=1&amp;b=2">Imprint &lt;b&gt;</a>' in visitor.raw
        assert "<li>Ward 4</li>" in visitor.raw
