"""Guessing codes is slow, whatever is tried."""

from __future__ import annotations

import time

import pytest

from doorward.identity.authenticators import codes as typed_codes
from doorward.identity.authenticators.codes import Suspended, Used, Wrong
from doorward.identity.authenticators.models import StaticDevice, TOTPDevice
from doorward.identity.authenticators.queries import ALL
from doorward.identity.authenticators.throttle import HOUR, LARGEST, PER_HOUR, FactorThrottle, Reserved
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from identity.factors import code_at

pytestmark = pytest.mark.django_db


def use(user: User, code: str, *classes: str) -> Used | Wrong | Suspended:
    return typed_codes.use(Actor.system(), user, code, classes or ALL)


def test_a_code_is_of_whatever_factor_it_fits(
    bob: User, app: TOTPDevice, paper: StaticDevice, codes: tuple[str, ...]
) -> None:
    """One field for both kinds."""
    assert use(bob, code_at(time.time())) == Used(app)
    assert use(bob, codes[0]) == Used(paper)
    assert use(bob, codes[0]) == Wrong()


def test_only_what_the_stage_lists_counts(bob: User, paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """A recovery code is no use where only apps are allowed, and is not used up."""
    assert use(bob, codes[0], "totp") == Wrong()
    assert use(bob, codes[0], "static") == Used(paper)


def test_somebody_elses_code_is_wrong(mallory: User, app: TOTPDevice, codes: tuple[str, ...]) -> None:
    """Factors are looked up by user."""
    assert use(mallory, code_at(time.time())) == Wrong()


def test_ten_wrong_codes_suspend_codes(bob: User, app: TOTPDevice, paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """Across kinds; the right one is not even looked at, and an event says so once."""  # S-511
    for number in range(PER_HOUR):
        assert use(bob, f"{number:06}", "totp" if number % 2 else "static") == Wrong()

    for _ in range(3):
        assert use(bob, codes[0]) == Suspended()

    assert Event.objects.filter(action="suspicious_request").count() == 1
    assert "bob" in str(Event.objects.get(action="suspicious_request").context)


def test_right_codes_do_not_count(bob: User, paper: StaticDevice, codes: tuple[str, ...]) -> None:
    """Logging in often is not guessing, and it does not forgive guesses."""  # S-511
    for code in codes[:8]:
        assert use(bob, "wrong") == Wrong()
        assert use(bob, code) == Used(paper)
    assert use(bob, "wrong") == Wrong()
    assert use(bob, "wrong") == Wrong()

    assert use(bob, codes[8]) == Suspended()


def test_after_an_hour_it_goes_on() -> None:
    """Each attempt weighs for an hour, on a clock that nobody can set back."""  # S-812
    now = 0.0
    throttle = FactorThrottle(lambda: now)
    for _ in range(PER_HOUR):
        assert throttle.reserve(1) is Reserved.ALLOWED
        now += 1
    assert throttle.reserve(1) is Reserved.JUST_SUSPENDED
    assert throttle.reserve(1) is Reserved.SUSPENDED
    assert throttle.reserve(2) is Reserved.ALLOWED
    now = HOUR + 0.5

    assert throttle.reserve(1) is Reserved.ALLOWED
    assert throttle.reserve(1) is Reserved.JUST_SUSPENDED


def test_many_users_do_not_fill_the_memory() -> None:
    """The oldest count goes first."""  # S-917
    throttle = FactorThrottle()
    for user in range(LARGEST + 100):
        throttle.reserve(user)

    assert len(throttle._counts) == LARGEST
