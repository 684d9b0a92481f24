"""The throttle's clockwork."""

from __future__ import annotations

import pytest

from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.directory.throttle import LARGEST, Throttle


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(throttle: Throttle, times: int, account: str = "user:1", address: str | None = None) -> list[bool]:
    return [throttle.reserve(account, address).allowed for _ in range(times)]


def test_bans_double_up_to_an_hour() -> None:
    """5, 10, 20, 40, 60, 60 minutes: a ban that is waited out is followed by a longer one."""
    clock = Clock()
    throttle = Throttle(clock)
    lengths = []
    for _ in range(6):
        assert fail(throttle, 6) == [True] * 5 + [False]
        began = clock.now
        while not throttle.reserve("user:1", None).allowed:
            clock.now += 60
        lengths.append(round((clock.now - began) / 60))
        clock.now += 301  # the one attempt that found the end is forgotten

    assert lengths == [5, 10, 20, 40, 60, 60]


def test_five_in_five_minutes_is_a_window() -> None:
    """Four failures now and four in six minutes ban nobody."""
    clock = Clock()
    throttle = Throttle(clock)

    assert all(fail(throttle, 4))
    clock.now += 360
    assert all(fail(throttle, 4))


def test_an_ipv6_host_is_its_network() -> None:
    """Choosing another address out of one's own /64 is no new start; the wait is stated."""
    throttle = Throttle(Clock())
    for number in range(30):
        throttle.reserve(f"user:{number}", f"2001:db8::{number:x}")

    with pytest.raises(TooManyAttempts) as refusal:
        throttle.reserve("user:x", "2001:db8::ffff")
    assert refusal.value.retry_after == pytest.approx(300)
    throttle.reserve("user:x", "2001:db8:0:1::1")


def test_memory_is_bounded() -> None:
    """A flood of invented names does not fill the memory."""  # S-917
    throttle = Throttle(Clock())
    for number in range(LARGEST + 10):
        throttle.reserve(f"name:{number}", None)

    assert len(throttle._counts) == LARGEST


def test_no_store_can_take_the_limit_away() -> None:
    """The counts are this process's own: with the database gone (here it may not be asked) guessing stays limited."""
    # S-928
    throttle = Throttle()

    assert fail(throttle, 7) == [True] * 5 + [False] * 2
    with pytest.raises(TooManyAttempts):
        for number in range(40):
            throttle.reserve(f"user:{number}", "192.0.2.1")
