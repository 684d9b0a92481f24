"""JSON documents that others publish and that are needed again and again: discovery, public keys.

Kept for ten minutes. Whoever has reason to think that there is a newer one makes us ask again, and a server that does
not answer is asked again, but no address more often than every thirty seconds (S-447): otherwise anybody could have us
ask for every request, and a dead server would hold a thread for each. Who comes meanwhile waits for the same answer.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from doorward.identity.egress import client

FRESH = 600.0
"""Seconds."""
PAUSE = 30.0
"""Seconds between two questions to one address."""
MOST = 1000
"""Addresses that are remembered."""

Document = dict[str, object]


@dataclass
class _Place:
    turn: threading.Lock = field(default_factory=threading.Lock)
    asked_at: float = float("-inf")
    found: Document | None = None
    found_at: float = float("-inf")
    failure: client.NotAsked | None = None

    def is_fresh(self) -> bool:
        return time.monotonic() - self.found_at < FRESH


_places: dict[str, _Place] = {}


def get(url: str, *, private: bool, newer: bool = False) -> Document:
    """The JSON object at ``url``; ``newer`` than what was not enough, if the pause is over.

    What is fresh is good also while its server is away. ``private`` as in ``client.ask``. Raises client.NotAsked, also
    for an answer that is no JSON object.
    """
    while len(_places) > MOST:
        _places.pop(next(iter(_places)), None)
    place = _places.setdefault(url, _Place())
    with place.turn:
        if (newer or not place.is_fresh()) and time.monotonic() - place.asked_at >= PAUSE:
            try:
                place.found, place.failure = _asked(url, private), None
                place.found_at = time.monotonic()
            except client.NotAsked as error:
                place.failure = error
            place.asked_at = time.monotonic()
        if place.found is not None and place.is_fresh():
            return place.found
        raise place.failure or client.Unreachable(f"{url} was asked a moment ago.")


def forget(*urls: str) -> None:
    """Ask anew the next time, after somebody has changed where to ask; without ``urls`` for all."""
    for url in urls or tuple(_places):
        _places.pop(url, None)


def _asked(url: str, private: bool) -> Document:
    answer = client.ask("GET", url, headers={"Accept": "application/json"}, private=private)
    try:
        found = answer.json()
    except ValueError as error:
        raise client.Unreachable(f"{url} cannot be read: {error}.") from error
    if answer.status != 200 or not isinstance(found, dict):
        raise client.Unreachable(f"{url} answers {answer.status} and no JSON object.")
    return found
