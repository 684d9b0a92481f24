"""``strategy``: which of several servers gets a request (``contracts/proxy.md`` section 8.1)."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Protocol

from doorward.proxy.request import Request
from doorward.proxy.services.rendezvous import highest
from doorward.proxy.services.server import Server


class Strategy(Protocol):
    def __call__(self, servers: Sequence[Server], request: Request) -> Server:
        """One of ``servers``, which is not empty."""
        ...


def power_of_two(servers: Sequence[Server], request: Request) -> Server:
    """``p2c``: of two at random the one that has less to do."""
    count = len(servers)
    if count == 1:
        return servers[0]
    first, second = random.randrange(count), random.randrange(count - 1)  # noqa: S311 - nothing secret
    one, other = servers[first], servers[second if second < first else second + 1]
    return one if one.in_flight <= other.in_flight else other


def by_client(servers: Sequence[Server], request: Request) -> Server:
    """``hrw``: the same client always meets the same server, as long as it is there."""
    return highest(((server, server.url, server.weight) for server in servers), request.client)


def least_time(servers: Sequence[Server], request: Request) -> Server:
    """``leasttime``: where an answer may be expected first, by what the last ones took and what is waiting."""
    now = time.monotonic()
    expected = [server.latency.seconds(now) * (1 + server.in_flight) / server.weight for server in servers]
    least = min(expected)
    quickest = [server for server, seconds in zip(servers, expected, strict=True) if seconds == least]
    return quickest[0] if len(quickest) == 1 else random.choice(quickest)  # noqa: S311 - nothing secret


STRATEGIES: dict[str, Strategy] = {"p2c": power_of_two, "hrw": by_client, "leasttime": least_time}
"""All but ``wrr``, which goes round whoever asks."""
