"""Your account: what one sees and changes oneself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory import passwords
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from identity import proxied
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
NEW = "a staple of batteries"
PASSWORD_PAGE = "/if/user/password/"


def test_one_sees_who_one_is_here(visiting_bob: Visitor) -> None:
    """User name, name, address and groups, as applications are told them."""
    text = visiting_bob.open("/if/user/account/")

    for value in ("bob", "Bob", "bob@example.test", "staff"):
        assert value in text


def test_a_new_password_ends_the_other_logins(visiting_bob: Visitor, bob: User, password: str) -> None:
    """This one stays; the old password is worth nothing."""
    elsewhere = proxied.log_in(bob)

    text = visiting_bob.succeed(PASSWORD_PAGE, current=password, password=NEW)

    assert "Your password is changed" in text
    assert not LoginSession.objects.filter(pk=elsewhere.pk).exists()
    bob.refresh_from_db()
    assert passwords.check(bob, NEW)
    assert not passwords.check(bob, password)
    assert Event.objects.get(action="password_set", user__pk=bob.pk).context["target"]["name"] == "bob"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"current": "wrong", "password": NEW}, "This is not your current password."),
        ({"current": "correct horse battery staple", "password": "short"}, "at least 8 characters"),
        (
            {"current": "correct horse battery staple", "password": "correct horse battery staple"},
            "that you have already",
        ),
        ({"current": "", "password": ""}, "the 2 marked fields"),
        ({"current": "nul\0", "password": NEW}, "Null characters are not allowed"),
    ],
)
def test_a_refused_password_says_why(visiting_bob: Visitor, bob: User, fields: dict[str, str], text: str) -> None:
    """400, at the field; nothing has changed."""
    answer = visiting_bob.send(PASSWORD_PAGE, **fields)

    assert answer.status_code == 400
    assert text in visiting_bob.text
    before = bob.password
    bob.refresh_from_db()
    assert bob.password == before


def test_guessing_the_current_password_ends_soon(visiting_bob: Visitor, bob: User, password: str) -> None:
    """A browser that was left open is no oracle: after five wrong ones even the right one is not looked at."""
    for _ in range(5):
        visiting_bob.send(PASSWORD_PAGE, current="wrong", password=NEW)  # S-506

    assert visiting_bob.send(PASSWORD_PAGE, current=password, password=NEW).status_code == 400
    assert "This is not your current password." in visiting_bob.text
    bob.refresh_from_db()
    assert not passwords.check(bob, NEW)


def test_a_login_elsewhere_can_be_ended(visiting_bob: Visitor, bob: User) -> None:
    """With an event; the own one stays."""
    elsewhere = proxied.log_in(bob)
    address = reverse("own-login-end", args=[elsewhere.pk])
    assert address in visiting_bob.open("/if/user/account/")

    visiting_bob.succeed(address, at="/if/user/account/")

    assert not LoginSession.objects.filter(pk=elsewhere.pk).exists()
    assert Event.objects.filter(action="logout", user__pk=bob.pk).count() == 1


def test_ending_the_own_login_logs_out(visiting_bob: Visitor, bob: User) -> None:
    """Not an error page: the start, which asks to log in."""
    own = LoginSession.objects.get(user=bob)

    answer = visiting_bob.send(reverse("own-login-end", args=[own.pk]), at="/if/user/account/")

    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert visiting_bob.get("/if/user/").status_code == 302


def test_all_other_logins_at_once(visiting_bob: Visitor, bob: User) -> None:
    """However many they are."""
    for _ in range(3):
        proxied.log_in(bob)

    visiting_bob.succeed("/if/user/logins/end/", at="/if/user/account/")

    assert LoginSession.objects.filter(user=bob).count() == 1


def test_a_token_can_be_limited(visiting_bob: Visitor, bob: User) -> None:
    """To reading and to parts of the API, which the list shows; an app password cannot, and says so."""
    limits: dict[str, Any] = {"read_only": "on", "resources": ["core/users", "events"]}
    visiting_bob.send("/if/user/new/token/", identifier="narrow", intent="api", life="30", **limits)

    token = Token.objects.get(identifier="narrow")
    assert (token.read_only, token.parts) == (True, ("core/users", "events"))
    assert "API, reading only" in visiting_bob.open("/if/user/account/")
    assert "<code>core/users</code>, <code>events</code>" in visiting_bob.text
    assert visiting_bob.send("/if/user/new/token/", identifier="x", intent="app_password", **limits).status_code == 400
    assert "Only an API token can be limited" in visiting_bob.text


def test_an_own_token_is_shown_once_and_works(visiting_bob: Visitor, bob: User) -> None:
    """In the answer to the form, and never again."""  # S-608
    answer = visiting_bob.send("/if/user/new/token/", identifier="script", intent="api", life="30", description="")

    assert answer.status_code == 200
    key = re.search(r'<pre id="key"[^>]*><code>([A-Za-z0-9]{60})<', visiting_bob.raw)
    assert key
    token = token_by_key(key[1], [Token.Intent.API])
    assert token is not None
    assert token.user == bob
    assert token.sealed_key == ""
    assert key[1] not in visiting_bob.open("/if/user/account/")
    assert Event.objects.get(action="model_created", user__pk=bob.pk).context["model"]["name"] == "script"


def test_a_token_for_ever_has_no_end(visiting_bob: Visitor) -> None:
    """Only when one says so."""
    visiting_bob.send("/if/user/new/token/", identifier="script", intent="app_password", life="", description="")

    token = Token.objects.get(identifier="script")
    assert (token.expiring, token.expires, token.intent) == (False, None, "app_password")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"identifier": "two words", "intent": "api"}, "letters, numbers, underscores or hyphens"),
        ({"identifier": "x", "intent": "recovery"}, "Select a valid choice"),
        ({"identifier": "x", "intent": "api", "life": "99999"}, "Select a valid choice"),
    ],
)
def test_a_token_that_cannot_be(visiting_bob: Visitor, fields: dict[str, str], text: str) -> None:
    """400, and nothing is created."""
    assert visiting_bob.send("/if/user/new/token/", **fields).status_code == 400
    assert text in visiting_bob.text
    assert not Token.objects.exists()


def test_a_token_is_always_its_makers(visiting_bob: Visitor, bob: User, akadmin: User) -> None:
    """A field that the form does not have changes nothing."""  # S-603, S-604
    visiting_bob.send("/if/user/new/token/", identifier="x", intent="api", life="1", user="akadmin", managed="y")

    token = Token.objects.get()
    assert (token.user, token.managed) == (bob, None)


def test_deleting_an_own_token(visiting_bob: Visitor) -> None:
    """It asks, then it is gone."""
    visiting_bob.send("/if/user/new/token/", identifier="x", intent="api", life="1")
    assert "is refused from then on" in visiting_bob.open("/if/user/tokens/x/delete/")

    visiting_bob.succeed("/if/user/tokens/x/delete/")

    assert not Token.objects.exists()
    assert Event.objects.filter(action="model_deleted", context__model__name="x").exists()


def test_a_token_for_a_device_is_for_one_application(visiting_bob: Visitor, bob: User, whoami: Application) -> None:
    """The answer shows how to use it; the list says what it opens, and when it was last used."""
    visiting_bob.send("/if/user/new/token/", identifier="phone", intent="device", application=whoami.pk, life="30")

    assert "It opens whoami and nothing else" in visiting_bob.text
    assert "curl -u bob:TOKEN https://" in visiting_bob.text
    token = Token.objects.get()
    assert (token.intent, token.application, token.user) == ("app_password", whoami, bob)
    text = visiting_bob.open("/if/user/account/")
    assert "whoami only" in text
    assert "never" in text


def test_only_what_one_may_enter_can_be_chosen(visiting_bob: Visitor, bob: User, whoami: Application) -> None:
    """A token never opens more than its maker may."""
    User.objects.get(pk=bob.pk).groups.clear()
    fields = {"identifier": "phone", "intent": "device", "life": "30"}

    assert visiting_bob.send("/if/user/new/token/", application=whoami.pk, **fields).status_code == 400
    assert visiting_bob.send("/if/user/new/token/", **fields).status_code == 400
    assert "Choose the application that it opens." in visiting_bob.text
    assert not Token.objects.exists()
