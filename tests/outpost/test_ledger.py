"""What an outpost on its own remembers, and what it does when it cannot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from doorward.outpost.ports import StoreUnavailable
from doorward.outpost.standalone import ledger
from doorward.outpost.standalone.ledger import SWEEP, Ledger


def test_an_ending_outlives_a_flood_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen session that was ended is not good again because many others were ended after it."""
    monkeypatch.setattr(ledger, "MAX_ENTRIES", 10)
    kept = Ledger()
    kept.end(1, "id", "stolen", now=1000.0, expires=9000.0)
    for number in range(50):
        kept.end(1, "id", f"other {number}", now=1001.0 + number, expires=9000.0)
    kept.end(1, "id", "last", now=1100.0 + SWEEP, expires=9000.0)

    assert kept.has_ended(1, 999.0, [("id", "stolen")])
    assert not kept.has_ended(1, 1100.0, [("id", "of a later login")])
    assert not kept.has_ended(2, 999.0, [("id", "of another application")])
    assert len(kept.rows("select 1 from ending")) < 15


def test_a_file_that_cannot_be_used_is_said_to_be_unavailable(tmp_path: Path) -> None:
    """Whoever asks gets a 503, whichever question it was."""
    kept = Ledger(tmp_path / "sessions.sqlite3")
    with sqlite3.connect(tmp_path / "sessions.sqlite3") as other:
        other.executescript("drop table used_state; drop table claim; drop table ending; drop table kept_url")

    for question in (
        lambda: kept.use_state("state", 2.0, 1.0),
        lambda: kept.is_used("state"),
        lambda: kept.claim("name", 2.0, 1.0),
        lambda: kept.end(1, "id", "x", 1.0, 2.0),
        lambda: kept.has_ended(1, 1.0, []),
        lambda: kept.take_url("key", 1.0),
    ):
        with pytest.raises(StoreUnavailable):
            question()
