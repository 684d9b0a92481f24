"""A short run of every target, the same inputs every time; ``make fuzz`` goes on from there."""

from __future__ import annotations

import pytest

from fuzz import express, first_bytes, http1, http2
from fuzz.target import Target, run

TARGETS = (*http1.TARGETS, *http2.TARGETS, *first_bytes.TARGETS, *express.TARGETS)
ROUNDS = 150


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_undeclared_nothing_unbounded_nothing_by_chance(target: Target) -> None:
    """Whole, byte by byte and in pieces the same; only declared refusals; within the limits."""
    # S-001 to S-054 as far as bytes can say them, S-046, S-048, S-050, S-922, S-925
    run(target, seed=20_260_101, rounds=ROUNDS)
