"""What ends when a factor goes, or the trust in its owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from doorward.identity.authenticators import actions, queries, remembered
from doorward.identity.authenticators.models import RememberedDevice, StaticToken, TOTPDevice
from doorward.identity.crypto import vault
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.queries import of_user

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)


def logged_in(user: User, key: str) -> LoginSession:
    return LoginSession.objects.create(
        user=user, session_key=vault.digest(key), expire_date=timezone.now() + timedelta(hours=1)
    )


def remember(user: User, device: TOTPDevice, lifetime: timedelta = MONTH) -> HttpRequest:
    """Answers the next request of a browser that is remembered now."""
    request = RequestFactory().get("/", headers={"User-Agent": "Firefox"})
    remembered.remember(request, user, device, lifetime)
    response = HttpResponse()
    remembered.send_cookie(request, response)
    (cookie,) = response.cookies.values()
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    return bringing(cookie.key, cookie.value)


def bringing(*names_and_values: str) -> HttpRequest:
    """A request with these cookies, as bytes would bring them."""
    pairs = zip(names_and_values[::2], names_and_values[1::2], strict=True)
    line = "; ".join(f"{name}={value}" for name, value in pairs)
    return RequestFactory().get("/", HTTP_COOKIE=line.encode().decode("latin-1"))


def test_a_factor_that_goes_takes_every_other_login_with_it(bob: User, app: TOTPDevice) -> None:
    """The one that removes it may stay."""  # S-520
    kept, other = logged_in(bob, "a" * 40), logged_in(bob, "b" * 40)
    remember(bob, app)

    actions.remove(Actor.system(), app, keep_sid=kept.sid)

    assert of_user(bob) == [kept]
    assert not LoginSession.objects.filter(pk=other.pk).exists()
    assert not RememberedDevice.objects.exists()
    assert queries.devices(bob) == []
    assert Event.objects.filter(action="model_deleted", app="authentik.stages.authenticator_totp").exists()


def test_a_remembered_browser_is_known(bob: User, app: TOTPDevice) -> None:
    """By a token that only its hash is kept of, for one user and one factor."""  # S-533
    request = remember(bob, app)
    (token,) = request.COOKIES.values()

    assert remembered.is_remembered(request, bob, MONTH)
    assert token not in str(RememberedDevice.objects.values())
    assert RememberedDevice.objects.get().factor == app.uuid


def test_another_users_token_is_worth_nothing(bob: User, mallory: User, app: TOTPDevice) -> None:
    """Also under the name that mallory's would have."""  # S-533
    request = remember(bob, app)
    (token,) = request.COOKIES.values()
    stolen = bringing(remembered.cookie_name(mallory), token)

    assert not remembered.is_remembered(stolen, mallory, MONTH)


def test_a_second_cookie_of_the_name_makes_both_worthless(bob: User, app: TOTPDevice) -> None:
    """One of them was planted; nor does white space of Unicode lend anybody the prefix."""  # S-313, S-315
    request = remember(bob, app)
    ((name, token),) = request.COOKIES.items()

    assert not remembered.is_remembered(bringing(name, token, name, "A" * 43), bob, MONTH)
    assert not remembered.is_remembered(bringing(f"\u2000{name}", token), bob, MONTH)
    assert remembered.is_remembered(bringing(name, token, name, token), bob, MONTH)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "A" * 10_000])
def test_a_token_that_nobody_gave_out_is_none(bob: User, app: TOTPDevice, token: str) -> None:
    """Whatever a cookie holds."""
    request = bringing(remembered.cookie_name(bob), token)

    assert not remembered.is_remembered(request, bob, MONTH)


def test_it_ends_after_its_time(bob: User, app: TOTPDevice) -> None:
    """Never later than after thirty days, and earlier if the stage's setting is shorter now."""  # S-533, S-811
    request = remember(bob, app, timedelta(days=400))
    row = RememberedDevice.objects.get()
    assert row.expires - row.created <= timedelta(days=30, seconds=1)

    RememberedDevice.objects.update(created=timezone.now() - timedelta(days=2))
    assert remembered.is_remembered(request, bob, timedelta(days=3))
    assert not remembered.is_remembered(request, bob, timedelta(days=1))
    RememberedDevice.objects.update(expires=timezone.now())
    assert not remembered.is_remembered(request, bob, MONTH)


def test_it_ends_with_its_factor(bob: User, app: TOTPDevice) -> None:
    """Even if the row were still there."""  # S-533
    request = remember(bob, app)
    TOTPDevice.objects.all().delete()

    assert not remembered.is_remembered(request, bob, MONTH)


def test_a_new_password_ends_it(bob: User, app: TOTPDevice) -> None:
    """And deactivation; the factors themselves stay."""  # S-520, S-533
    request = remember(bob, app)
    directory.set_password(Actor.system(), bob, "another good password")
    assert not remembered.is_remembered(request, bob, MONTH)

    request = remember(bob, app)
    directory.update_user(Actor.system(), bob, is_active=False)
    assert not remembered.is_remembered(request, bob, MONTH)
    assert queries.devices(bob) == [app]


def test_browsers_are_forgotten_one_by_one_or_together(bob: User, app: TOTPDevice) -> None:
    """By their user, with an event each."""
    first, second, third = (remember(bob, app) for _ in range(3))

    actions.forget(Actor.system(), queries.remembered(bob).get(token_hash=vault.digest(*first.COOKIES.values())))
    assert not remembered.is_remembered(first, bob, MONTH)
    assert remembered.is_remembered(second, bob, MONTH)
    assert actions.forget_all(Actor.system(), bob) == 2
    assert not remembered.is_remembered(third, bob, MONTH)
    assert Event.objects.filter(action="model_deleted").count() == 3


def test_browsers_do_not_pile_up(bob: User, app: TOTPDevice) -> None:
    """Twenty, then the one that was used longest ago goes."""
    requests = [remember(bob, app) for _ in range(22)]

    assert RememberedDevice.objects.count() == remembered.MOST
    assert remembered.is_remembered(requests[-1], bob, MONTH)
    assert not remembered.is_remembered(requests[0], bob, MONTH)


def test_who_leaves_takes_everything_along(bob: User, app: TOTPDevice, paper: object) -> None:
    """A new user of the same name inherits no factor."""  # S-817
    remember(bob, app)
    directory.delete_user(Actor.system(), bob)

    assert not (TOTPDevice.objects.exists() or StaticToken.objects.exists() or RememberedDevice.objects.exists())
    again = directory.create_user(Actor.system(), username="bob")
    assert not queries.has_usable(again)
