"""``weighted`` and ``highestRandomWeight``: several services share the requests (``contracts/proxy.md`` section
8.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doorward.messages import routing as messages
from doorward.proxy.answers import NO_SERVER
from doorward.proxy.exchange import Exchange
from doorward.proxy.request import ResponseHead
from doorward.proxy.services.part import Part, hand_over
from doorward.proxy.services.rendezvous import highest
from doorward.proxy.services.rotation import rotation
from doorward.proxy.services.sticky import Stickiness


class _Shared:
    """What both have in common: the parts that may be asked."""

    def __init__(self, name: str, parts: Sequence[Part], weights: Sequence[int], by_health: bool) -> None:
        self.name = name
        self._weights = dict(zip(parts, weights, strict=True))
        self._by_health = by_health

    @property
    def up(self) -> bool:
        return any(part.up for part in self._weights)

    def _askable(self) -> tuple[Part, ...]:
        return tuple(part for part in self._weights if part.up) if self._by_health else tuple(self._weights)


class Weighted(_Shared):
    """In turn by weight; a client with a cookie stays where it was."""

    def __init__(self, service: messages.Weighted, parts: Sequence[Part]) -> None:
        """``parts`` in the order of ``service.services``."""
        children = service.services
        super().__init__(service.name, parts, [child.weight for child in children], service.health_check)
        self._sticky = (
            Stickiness(service.sticky, ((part, child.written) for part, child in zip(parts, children, strict=True)))
            if service.sticky
            else None
        )
        self._turning: tuple[Part, ...] = ()
        self._next: Callable[[], Part | None] = rotation(self._turning, ())

    def serve(self, exchange: Exchange) -> None:
        sent = self._sticky.sent(exchange.request) if self._sticky is not None else []
        part = self._choose(sent)
        if part is None:
            exchange.fail(NO_SERVER)
            return
        if self._sticky is not None:
            cookie = self._sticky.reminder(sent, part)
            if cookie is not None:
                exchange.watchers = (*exchange.watchers, _Reminder(cookie))
        hand_over(exchange, part)

    def _choose(self, sent: list[bytes]) -> Part | None:
        askable = self._askable()
        if sent and self._sticky is not None:
            part = self._sticky.remembered(sent)
            if part is not None and part in askable:
                return part
        if askable != self._turning:
            self._turning = askable
            self._next = rotation(askable, [self._weights[part] for part in askable])
        return self._next()


class _Reminder:
    """Puts the cookie on the answer. A ``Watcher``."""

    __slots__ = ("_cookie",)

    def __init__(self, cookie: bytes) -> None:
        self._cookie = cookie

    def responding(self, response: ResponseHead) -> bool:
        response.headers.append((b"Set-Cookie", self._cookie))
        return True

    def ended(self, complete: bool) -> None:
        """Nothing is kept."""


class HighestRandomWeight(_Shared):
    """By the client's address: the same client always meets the same service, as long as it is there."""

    def __init__(self, service: messages.HighestRandomWeight, parts: Sequence[Part]) -> None:
        super().__init__(service.name, parts, [child.weight for child in service.services], service.health_check)

    def serve(self, exchange: Exchange) -> None:
        askable = self._askable()
        if not askable:
            exchange.fail(NO_SERVER)
            return
        client = exchange.request.client
        hand_over(exchange, highest(((part, part.name, self._weights[part]) for part in askable), client))
