"""Records of refusals from outposts elsewhere: kept beside our own, so that one place says why (``doorward explain``).

An outpost speaks of the applications that it serves and of requests that led to none. Its records take turns with
everybody's, so how many come from one outpost is limited: whoever has stolen a token must not be able to push all
others out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from uuid import UUID

import msgspec

from doorward.identity.explain import data_plane
from doorward.identity.outposts.models import Outpost, ProxyProvider
from doorward.identity.rpc.answer import DONE, Answer
from doorward.messages.decisions import Decided, Decision

MOST = 300
"""Records of one outpost in a minute."""
WINDOW = 60.0
LONGEST = 8192
"""Bytes of one record."""


class Shares:
    """How much of the book an outpost may still fill."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._taken: dict[UUID, tuple[float, int]] = {}

    def take(self, outpost: UUID, wanted: int) -> int:
        """How many of ``wanted`` records it may add now."""
        with self._lock:
            now = self._now()
            began, taken = self._taken.get(outpost, (now, 0))
            if now - began >= WINDOW:
                began, taken = now, 0
            given = max(0, min(wanted, MOST - taken))
            self._taken[outpost] = (began, taken + given)
            return given


_shares = Shares()


def keep(decided: Decided, outpost: Outpost, served: frozenset[int]) -> Answer:
    """Add what may be added, the newest where it is too much."""
    slugs = dict(ProxyProvider.objects.filter(pk__in=served).values_list("pk", "application__slug"))
    good = [
        _said_by(outpost, made, slugs.get(made.provider) or "")
        for made in decided.decisions
        if (made.provider in served or not made.provider) and len(msgspec.msgpack.encode(made)) <= LONGEST
    ]
    given = _shares.take(outpost.pk, len(good))
    if given:
        data_plane.tell(*good[-given:])
    return DONE


def _said_by(outpost: Outpost, made: Decision, application: str) -> Decision:
    """What only we can know is not taken from elsewhere, and whose record it is stands in it."""
    asked_by = f"{made.asked_by} at the outpost {outpost.name}"
    return msgspec.structs.replace(made, asked_by=asked_by, application=application, user="", weighed=())
