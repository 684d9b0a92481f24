"""Who sends a body too slowly is told, who is kept waiting by us is not (S-902)."""

from __future__ import annotations

from doorward.proxy.progress import REST, Progress


def test_nothing_is_expected_within_ten_seconds() -> None:
    """The grace."""
    assert not Progress(100.0).too_slow(109.9, excused=False)


def test_then_five_hundred_bytes_a_second() -> None:
    """On the average since the grace ended."""
    assert Progress(100.0, received=999).too_slow(112.0, excused=False)
    assert not Progress(100.0, received=1000).too_slow(112.0, excused=False)


def test_time_that_we_cause_does_not_count() -> None:
    """While the application does not take the body, the client need not send it."""
    progress = Progress(100.0)
    for second in range(1, 60):
        assert not progress.too_slow(100.0 + second, excused=True)
    assert not progress.too_slow(169.0, excused=False)
    assert progress.too_slow(172.0, excused=False)


def test_a_conversation_may_rest() -> None:
    """gRPC: an hour without a byte from either side, and every byte begins another."""
    progress = Progress(100.0)
    progress.let_rest()
    assert not progress.too_slow(100.0 + REST, excused=False)
    progress.received += 1
    assert not progress.too_slow(3800.0, excused=False)
    progress.sent += 1
    assert not progress.too_slow(7000.0, excused=False)

    assert not progress.too_slow(7000.0 + REST, excused=False)
    assert progress.too_slow(7001.0 + REST, excused=False)


def test_an_operators_limit_holds_for_conversations() -> None:
    """``readTimeout``, if one is set, is for the whole request."""
    progress = Progress(100.0, limit=60.0)
    progress.let_rest()
    progress.received += 1000

    assert not progress.too_slow(160.0, excused=False)
    progress.received += 1000
    assert progress.too_slow(161.0, excused=False)
