"""Of many that come at once with the same message, or the same handle, one is the first (S-455)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from doorward.identity.sources.saml import handover, replays
from doorward.identity.sources.saml.answers import Vouched
from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.models import SAMLSource

THREADS = 20
NOW = datetime.now(UTC)
SAID = Vouched("idp", "erin", "", {"uid": ("erin",)}, "s1", "_asked", "_id", NOW, None, NOW)


def at_once(act: Callable[[], bool]) -> int:
    """How many of twenty threads were the first."""
    start = Barrier(THREADS)

    def run() -> bool:
        try:
            start.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(future.result() for future in [pool.submit(run) for _ in range(THREADS)])


@pytest.mark.django_db(transaction=True)
def test_one_of_twenty(source: SAMLSource) -> None:
    """Whichever replica they come to: the database decides."""
    handle = handover.keep(source, SAID)
    assert handover.take(source, "other") is None

    def first() -> bool:
        try:
            replays.require_first(source, "_id", NOW + timedelta(minutes=5))
        except NotBelieved:
            return False
        return True

    assert at_once(lambda: handover.take(source, handle) == SAID) == 1
    assert at_once(first) == 1
