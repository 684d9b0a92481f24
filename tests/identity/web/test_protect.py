"""Protect an application: one form, in force at once, and the texts to paste."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.identity.applications.models import Application, Provider
from doorward.identity.directory.models import Group, User
from doorward.identity.events.models import Event
from doorward.identity.outposts import queries
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.policies.queries import verdict
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
PROTECT = "/if/admin/protect/"


def send(admin: Visitor, **fields: Any) -> int:
    """The form, as the page has it."""
    status: int = admin.send(PROTECT, **{"who": "everybody", **fields}).status_code
    return status


def test_two_fields_are_enough(admin: Visitor, mallory: User) -> None:
    """Provider, application and outpost assignment, for everybody with an account; the page after it says so."""
    text = admin.succeed(PROTECT, name="Wiki", external_host="https://wiki.example.test/*", who="everybody")

    wiki = Application.objects.get(slug="wiki")
    (served,) = queries.configuration().providers
    assert served.external_host == "https://wiki.example.test"
    assert served.application_slug == "wiki"
    assert verdict(wiki, mallory).passing
    assert "“Wiki” is protected from this moment on." in text
    assert "Everybody who has an account here" in text
    made = Event.objects.filter(action="model_created", user__username="akadmin")
    assert {event.context["model"]["model_name"] for event in made} == {"proxyprovider", "application"}


def test_only_certain_people(admin: Visitor, staff: Group, bob: User, mallory: User) -> None:
    """Groups and users by name or address."""
    carol = User.objects.create(username="carol", email="carol@example.test")
    fields: dict[str, Any] = {"who": "chosen", "groups": [str(staff.pk)], "users": "carol@example.test"}

    text = admin.succeed(PROTECT, name="Wiki", external_host="https://wiki.example.test", **fields)

    wiki = Application.objects.get(slug="wiki")
    assert verdict(wiki, bob).passing
    assert verdict(wiki, carol).passing
    assert not verdict(wiki, mallory).passing
    assert "group staff" in text


def test_everything_that_may_wait(admin: Visitor) -> None:
    """Open paths, slug, heading, description, start page."""
    admin.succeed(
        PROTECT,
        name="Wiki",
        external_host="wiki.example.test",
        who="everybody",
        skip_path_regex="^/health$",
        slug="pages",
        group="Knowledge",
        meta_description="What we know",
        meta_launch_url="https://wiki.example.test/start",
    )

    application = Application.objects.get(slug="pages")
    provider = ProxyProvider.objects.get(application=application)
    assert provider.external_host == "https://wiki.example.test"
    assert provider.skip_path_regex == "^/health$"
    assert (application.group, application.meta_description) == ("Knowledge", "What we know")
    assert application.meta_launch_url == "https://wiki.example.test/start"


def test_a_whole_domain(admin: Visitor) -> None:
    """One login for every host under a domain; the form says what that costs, and so does the log."""  # S-341
    fields = {"name": "Home", "external_host": "login.home.test", "mode": "forward_domain", "who": "everybody"}
    assert "Every host under this domain is sent the session cookie" in admin.open(PROTECT)

    text = admin.succeed(PROTECT, cookie_domain="home.test", **fields)

    (served,) = queries.configuration().providers
    assert (served.mode, served.cookie_domain) == ("forward_domain", "home.test")
    assert "every other host under home.test" in text
    assert Event.objects.filter(action="configuration_warning", user__username="akadmin").exists()


def test_a_domain_is_not_kept_for_a_single_application(admin: Visitor) -> None:
    """What was typed before the choice changed has no effect."""
    assert send(admin, name="Wiki", external_host="wiki.test", mode="forward_single", cookie_domain="elsewhere") == 303

    assert ProxyProvider.objects.get().cookie_domain == ""


def test_names_that_are_alike_get_slugs_of_their_own(admin: Visitor) -> None:
    """And a name without any letter for one takes the host's."""
    for name, host in (("Wiki!", "a.test"), ("Wiki?", "b.test"), ("维基", "pages.test")):
        assert send(admin, name=name, external_host=f"https://{host}") == 303

    assert set(Application.objects.values_list("slug", flat=True)) == {"wiki", "wiki-2", "pages"}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "Give it a name."),
        ({"external_host": ""}, "Enter the URL under which people open it."),
        ({"external_host": "ftp://wiki.example.test"}, "beginning with http:// or https://"),
        ({"external_host": "https://*.example.test"}, "One host, without wildcards"),
        ({"external_host": "https://me:secret@wiki.example.test"}, "does not belong here"),
        (
            {"external_host": "https://app.example.test"},
            "“whoami” is already protected under https://app.example.test.",
        ),
        ({"who": "chosen"}, "Choose at least one group or user"),
        ({"who": "chosen", "users": "nobody"}, "There is no user “nobody”."),
        ({"who": "nonsense"}, "Select a valid choice"),
        ({"name": "whoami"}, "An application of this name is protected already"),
        ({"slug": "whoami"}, "Application with this Slug already exists."),
        ({"slug": "token"}, "reserved"),
        ({"mode": "forward_domain"}, "The external host does not lie under this domain."),
        ({"mode": "forward_domain", "cookie_domain": "ample.test"}, "does not lie under this domain"),
        ({"mode": "proxy"}, "Internal host cannot be empty"),
        ({"mode": "proxy", "internal_host": "169.254.169.254"}, "reserved for other purposes"),
        ({"mode": "ldap"}, "Select a valid choice"),
        ({"skip_path_regex": "^/a\n("}, "“(” is not a regular expression"),
        ({"meta_launch_url": "javascript:alert(1)"}, "An http:// or https:// URL."),
    ],
)
def test_what_cannot_be_says_why_and_creates_nothing(
    admin: Visitor, whoami: Application, fields: dict[str, str], text: str
) -> None:
    """400, at the field, in words; all or nothing."""
    events = Event.objects.count()

    assert send(admin, **{"name": "Wiki", "external_host": "https://wiki.example.test", **fields}) == 400

    assert text in admin.text
    assert 'role="alert"' in admin.raw
    assert Application.objects.count() == Provider.objects.count() == 1
    assert Event.objects.count() == events


def test_what_was_typed_is_kept(admin: Visitor) -> None:
    """Nobody types twice because of one mistake."""
    send(admin, name="My “Wiki” <b>", external_host="nonsense nonsense", group="Knowledge")

    assert 'value="My “Wiki” <b>"' in admin.text
    assert "<b>" not in admin.raw
    assert 'value="Knowledge"' in admin.text


def test_the_form_needs_its_token(admin: Visitor) -> None:
    """Another site cannot protect, or unprotect, anything."""  # S-528
    fields = {"name": "Wiki", "external_host": "https://wiki.example.test", "who": "everybody"}

    assert admin.client.post(PROTECT, fields, headers={"Origin": "https://auth.example.test"}).status_code == 403
    assert not Application.objects.exists()
