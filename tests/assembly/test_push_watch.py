"""A worker that hears nothing does not believe what it remembers."""

from __future__ import annotations

from doorward.assembly.push_watch import BEAT, LONGEST, PushWatch


def test_silence_is_noticed_after_a_minute_and_ends_with_the_next_word() -> None:
    """The control process is late, then gone, then back."""
    # S-321, section 3: revocation in force
    watch = PushWatch(100.0)

    assert not watch.is_silent(100.0 + LONGEST)
    assert watch.is_silent(100.1 + LONGEST)
    watch.heard(200.0)
    assert not watch.is_silent(200.0 + LONGEST)


def test_a_beat_that_gets_lost_is_no_silence() -> None:
    """Three may stay away."""
    assert LONGEST >= 4 * BEAT
