"""The newest records of all workers, for whoever asks why: bounded, and with room for everybody.

A client that is refused again and again pushes out its own records before those of others, so that one noisy
scanner does not hide why somebody else could not log in.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from doorward.messages.decisions import Decided, Decision, DecisionsFound, FindDecisions

MOST = 4000
MOST_OF_A_CLIENT = 200
MOST_AT_ONCE = 500
SHORTEST_ID = 6
"""Characters of an id that are enough to look for it."""

_Key = tuple[str, float]


class DecisionBook:
    def __init__(self, most: int = MOST, most_of_a_client: int = MOST_OF_A_CLIENT) -> None:
        self._most = most
        self._most_of_a_client = most_of_a_client
        self._kept: OrderedDict[_Key, Decision] = OrderedDict()
        self._by_client: dict[str, deque[_Key]] = {}

    def add(self, decided: Decided) -> None:
        for decision in decided.decisions:
            self._add(decision)

    def find(self, wanted: FindDecisions) -> DecisionsFound:
        """Newest first."""
        limit = max(0, min(wanted.limit, MOST_AT_ONCE))
        found: list[Decision] = []
        for decision in sorted(self._kept.values(), key=lambda each: each.at, reverse=True):
            if len(found) >= limit:
                break
            if _fits(decision, wanted):
                found.append(decision)
        since = min((decision.at for decision in self._kept.values()), default=0.0)
        return DecisionsFound(tuple(found), len(self._kept), since)

    def _add(self, decision: Decision) -> None:
        key = (decision.id, decision.at)
        if key in self._kept:
            return
        self._kept[key] = decision
        theirs = self._by_client.setdefault(decision.client, deque())
        theirs.append(key)
        if len(theirs) > self._most_of_a_client:
            del self._kept[theirs.popleft()]
        elif len(self._kept) > self._most:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        key, oldest = self._kept.popitem(last=False)
        theirs = self._by_client[oldest.client]
        theirs.remove(key)
        if not theirs:
            del self._by_client[oldest.client]


def _fits(decision: Decision, wanted: FindDecisions) -> bool:
    if wanted.id and not (len(wanted.id) >= SHORTEST_ID and decision.id.lower().startswith(wanted.id.lower())):
        return False
    return _all_of(
        (
            (wanted.application, decision.application == wanted.application),
            (wanted.host, wanted.host.lower() in decision.host.lower()),
            (wanted.client, decision.client == wanted.client),
            (wanted.reason, decision.reason == wanted.reason),
        )
    )


def _all_of(tests: Iterable[tuple[str, bool]]) -> bool:
    return all(passes for asked, passes in tests if asked)
