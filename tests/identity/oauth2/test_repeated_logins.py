"""Programs that log in every few seconds leave neither an event nor a row each time."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.oauth2.models import IssuedToken
from doorward.identity.oauth2.repeated_logins import LARGEST, WINDOW, RepeatedLogins
from doorward.identity.outposts.actions import protect
from doorward.identity.outposts.models import ProxyProvider
from identity.oauth2.relying_party import RelyingParty, error_of

SYSTEM = Actor.system()


@pytest.fixture
def outpost(flows: None) -> RelyingParty:
    """The client that the outpost of a protected application is."""
    protect(SYSTEM, name="Whoami", slug="whoami", external_host="https://app.example.test")
    provider = ProxyProvider.objects.get()
    return RelyingParty(provider, redirect_uri=provider.redirect_uris[0]["url"], scope="openid profile ak_proxy")


def _app_password(user: User, identifier: str = "script") -> str:
    intent = Token.Intent.APP_PASSWORD
    return directory.create_token(SYSTEM, user=user, identifier=identifier, intent=intent, expiring=False)[1]


def _log_in(rp: RelyingParty, key: str, **more: Any) -> str:
    answer = rp.token(grant_type="client_credentials", username="bob", password=key, **more)
    assert answer.status_code == 200, answer.content
    token: str = answer.json()["access_token"]
    return token


def _logins() -> int:
    return Event.objects.filter(action="login").count()


def test_the_same_program_is_one_event(outpost: RelyingParty, bob: User) -> None:
    """Another credential is another program."""
    first, second = _app_password(bob), _app_password(bob, "other")

    for key in (first, first, first, second, first):
        _log_in(outpost, key)

    assert _logins() == 2


def test_a_client_with_its_own_secret_is_one_event(rp: RelyingParty) -> None:
    """Machine to machine, again and again."""
    for _ in range(3):
        assert rp.token(grant_type="client_credentials").status_code == 200

    assert _logins() == 1


def test_checks_of_an_outpost_leave_no_heap_of_rows(outpost: RelyingParty, bob: User) -> None:
    """Each check clears away those of more than ten minutes ago; what a program fetched itself stays."""
    key = _app_password(bob)
    own = _log_in(outpost, key, client_secret=None)
    old = [_log_in(outpost, key) for _ in range(3)]
    IssuedToken.objects.update(issued=timezone.now() - timedelta(minutes=11))
    recent = _log_in(outpost, key)
    newest = _log_in(outpost, key)

    assert IssuedToken.objects.count() == 3
    assert [outpost.introspect(token)["active"] for token in (own, recent, newest)] == [True, True, True]
    assert outpost.introspect(old[0]) == {"active": False}


def test_a_program_clears_away_its_own_expired_tokens(rp: RelyingParty) -> None:
    """And nobody else's."""
    for _ in range(3):
        rp.token(grant_type="client_credentials")
    IssuedToken.objects.update(expires=timezone.now())
    rp.token(grant_type="client_credentials")

    assert IssuedToken.objects.count() == 1


def test_a_wrong_app_password_is_an_event(outpost: RelyingParty, bob: User) -> None:
    """With the name, the client and never the password; also when the name is another's."""  # S-605
    key = _app_password(bob)

    wrong = outpost.token(grant_type="client_credentials", username="bob", password="no app password")
    other = outpost.token(grant_type="client_credentials", username="mallory", password=key)

    assert error_of(wrong) == error_of(other) == (401, "invalid_client")
    failures = list(Event.objects.filter(action="login_failed").order_by("created"))
    assert [event.context["username"] for event in failures] == ["bob", "mallory"]
    assert failures[0].context["client_id"] == outpost.provider.client_id
    assert "no app password" not in str([event.context for event in failures])
    assert key not in str([event.context for event in failures])


def test_failures_end_in_silence(outpost: RelyingParty) -> None:
    """Nobody fills the log by trying: after thirty failures from one address nothing is tried, and nothing told."""
    for _ in range(33):
        outpost.token(grant_type="client_credentials", username="bob", password="wrong")

    assert Event.objects.filter(action="login_failed").count() == 30


def test_a_user_in_the_secret_is_no_failure(outpost: RelyingParty, bob: User) -> None:
    """A program that knows only the two fields may come as often as others."""
    secret = base64.b64encode(f"bob:{_app_password(bob)}".encode()).decode()

    for _ in range(31):
        assert outpost.token(grant_type="client_credentials", client_secret=secret).status_code == 200
    assert not Event.objects.filter(action="login_failed").exists()


def test_after_an_hour_it_is_told_again() -> None:
    """The hour counts from the event, not from the last login: a program that never rests is seen all day."""
    clock = [0.0]
    logins = RepeatedLogins(lambda: clock[0])

    before = logins.is_repeated("a")
    logins.recorded("a")
    clock[0] = WINDOW - 1
    within = logins.is_repeated("a")
    clock[0] = WINDOW
    after = logins.is_repeated("a")

    assert (before, within, after) == (False, True, False)


def test_what_is_remembered_is_bounded() -> None:
    """The oldest is forgotten: at worst it is told once more."""
    logins = RepeatedLogins(lambda: 0.0)

    for number in range(LARGEST + 1):
        logins.recorded(str(number))

    assert not logins.is_repeated("0")
    assert logins.is_repeated(str(LARGEST))
