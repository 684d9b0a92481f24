"""``mirroring``: one service answers, others get copies of the requests (``contracts/proxy.md`` section 8.2).

A copy is sent after the answer is complete, so nobody ever waits for it; what comes back is thrown away. Bounded are
the copies at work at the same time, the bytes of bodies that are held for them, their time, and how much of a mirror's
answer is read. A request over a bound is not mirrored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from doorward.messages import routing as messages
from doorward.proxy.body_copy import BodyCopy, Budget
from doorward.proxy.exchange import Exchange
from doorward.proxy.request import Request, ResponseHead
from doorward.proxy.services.mirror_client import MirrorClient
from doorward.proxy.services.part import Part, hand_over

MAX_AT_WORK = 128
"""Copies under way, for each mirroring service of a worker."""
MAX_HELD = 16 << 20
"""Bytes of request bodies, likewise."""


@dataclass(slots=True)
class _Mirror:
    part: Part
    percent: int
    sent: int = 0


class Mirroring:
    """See the module."""

    def __init__(self, service: messages.Mirroring, main: Part, mirrors: Sequence[Part]) -> None:
        """``mirrors`` in the order of ``service.mirrors``."""
        self.name = service.name
        self._main = main
        self._mirrors = [_Mirror(part, mirror.percent) for part, mirror in zip(mirrors, service.mirrors, strict=True)]
        self._with_body = service.mirror_body
        self._max_body = service.max_body_size
        self._budget = Budget(MAX_HELD)
        self._requests = 0
        self._at_work = 0

    @property
    def up(self) -> bool:
        return self._main.up

    def serve(self, exchange: Exchange) -> None:
        chosen = self._chosen()
        if chosen and not exchange.request.websocket:
            exchange.watchers = (*exchange.watchers, _Copying(self, exchange, chosen))
        hand_over(exchange, self._main)

    def _chosen(self) -> list[Part]:
        """The mirrors whose turn it is: after every request each has had its percentage, as nearly as can be."""
        self._requests += 1
        chosen = []
        for mirror in self._mirrors:
            if mirror.sent * 100 < mirror.percent * self._requests:
                mirror.sent += 1
                chosen.append(mirror.part)
        return chosen

    def copy_of_body(self, request: Request) -> BodyCopy | None:
        """Where the body that is about to stream is collected; None when there is nothing to collect."""
        if not self._with_body or request.body_length == 0 or request.body is not None:
            return None
        return BodyCopy(self._max_body, self._budget)

    def send(self, exchange: Exchange, request: Request, parts: Sequence[Part], release: Callable[[], None]) -> None:
        """Send ``request`` to ``parts``; ``release`` is called when the last is done with it."""
        batch = _Batch(self, len(parts), release)
        for part in parts:
            if self._at_work >= MAX_AT_WORK:
                exchange.note("mirror.busy", self.name, f"{part.name} is too slow, {self._at_work} copies wait")
                batch.leave_out()
                continue
            self._at_work += 1
            # In a turn of its own: the client's answer goes out first.
            asyncio.get_running_loop().call_soon(MirrorClient(exchange, request, batch.done).ask, part)

    def done(self) -> None:
        """One copy less is at work."""
        self._at_work -= 1

    def mirrored(self, request: Request, copy: BodyCopy | None) -> tuple[Request, Callable[[], None]] | None:
        """``request`` for the mirrors, with fields of its own and the whole body or none, and what to call when it is
        not needed any more; None when it cannot be mirrored."""
        release: Callable[[], None] = _nothing
        body = request.body if self._with_body else None
        if body:  # somebody else has read it
            if copy is not None:
                copy.release()
            if len(body) > self._max_body or not self._budget.take(len(body)):
                return None
            release = partial(self._budget.give_back, len(body))
        elif copy is not None:
            if not copy.complete:
                copy.release()
                return None
            body, release = copy.take(), copy.release
        copied = replace(
            request,
            headers=list(request.headers),
            added_cookies=[],
            session=b"",
            read_body=None,
            body=body or None,
            body_length=len(body or b""),
        )
        return copied, release


def _nothing() -> None:
    """Nothing is held."""


@dataclass(slots=True)
class _Batch:
    """The copies of one request."""

    mirroring: Mirroring
    left: int
    release: Callable[[], None]

    def done(self) -> None:
        self.mirroring.done()
        self.leave_out()

    def leave_out(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.release()


class _Copying:
    """Keeps a request until its answer is complete. A ``Watcher``."""

    __slots__ = ("_copy", "_exchange", "_mirroring", "_parts")

    def __init__(self, mirroring: Mirroring, exchange: Exchange, parts: list[Part]) -> None:
        self._mirroring = mirroring
        self._exchange = exchange
        self._parts = parts
        self._copy = mirroring.copy_of_body(exchange.request)
        if self._copy is not None:
            exchange.body_copies = (*exchange.body_copies, self._copy)

    def responding(self, response: ResponseHead) -> bool:
        return True

    def ended(self, complete: bool) -> None:
        if complete:
            mirrored = self._mirroring.mirrored(self._exchange.request, self._copy)
            if mirrored is not None:
                self._mirroring.send(self._exchange, mirrored[0], self._parts, mirrored[1])
        elif self._copy is not None:
            self._copy.release()
