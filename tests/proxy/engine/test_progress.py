"""Who sends a body too slowly is told, who is kept waiting by us is not (S-902)."""

from __future__ import annotations

from doorward.proxy.progress import Progress


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
