"""``failover``: another service answers when the first is down, or answers what it should not
(``contracts/proxy.md`` section 8.2).

A request is given to both services only if nothing can happen twice by it (S-920): the first was not reached, or it
has answered, with a status that the operator lists, or repeating the request is harmless by its method. A request that
was sent and never answered may have had its effect, and is a 502 or 504 unless it is harmless.
"""

from __future__ import annotations

from doorward.messages import routing as messages
from doorward.proxy.answers import BODY_TOO_LARGE, BODY_TOO_SLOW, NOBODY_UP
from doorward.proxy.attempts import may_be_repeated
from doorward.proxy.body_collector import BodyTooSlow, collect_body
from doorward.proxy.exchange import Exchange
from doorward.proxy.request import BodyTooLarge, ResponseHead
from doorward.proxy.service import Watcher
from doorward.proxy.services.part import Part, hand_over


class Failover:
    """See the module."""

    def __init__(self, service: messages.Failover, first: Part, fallback: Part) -> None:
        self.name = service.name
        self._first = first
        self._fallback = fallback
        self._statuses = frozenset(
            status for low, high in service.statuses for status in range(low, high + 1) if status >= 200
        )
        self._max_body = service.max_request_body

    @property
    def up(self) -> bool:
        return self._first.up or self._fallback.up

    def serve(self, exchange: Exchange) -> None:
        if not self._first.up:
            self._fall_back(exchange)
        elif not self._statuses:
            hand_over(exchange, self._first)
        elif exchange.request.body_length == 0 or exchange.request.body is not None:
            self._try_first(exchange)
        else:
            exchange.spawn(self._try_with_body(exchange))

    async def _try_with_body(self, exchange: Exchange) -> None:
        """The body is kept, so that it can be sent a second time."""
        try:
            exchange.request.body = await collect_body(exchange.downstream, self._max_body)
        except BodyTooLarge:
            exchange.fail(BODY_TOO_LARGE)
        except BodyTooSlow:
            exchange.fail(BODY_TOO_SLOW)
        else:
            self._try_first(exchange)

    def _try_first(self, exchange: Exchange) -> None:
        before = exchange.watchers
        exchange.watchers = (*before, _Attempt(self, exchange, before))
        hand_over(exchange, self._first)

    def takes_over(self, exchange: Exchange, status: int) -> bool:
        """Whether this answer of the first service is not the client's, because the fallback will give another."""
        account = exchange.account
        answered, sent = account.origin_status != 0, account.server != ""
        return status in self._statuses and (answered or not sent or may_be_repeated(exchange.request))

    def take_over(self, exchange: Exchange, before: tuple[Watcher, ...]) -> None:
        """Let the fallback answer; whoever watched the first attempt for its part (not ``before``) is done."""
        dropped, exchange.watchers = exchange.watchers[len(before) :], before
        for watcher in dropped:
            watcher.ended(False)
        account = exchange.account
        account.retries += 1
        account.server, account.origin_status = "", 0
        self._fall_back(exchange)

    def _fall_back(self, exchange: Exchange) -> None:
        if self._fallback.up:
            hand_over(exchange, self._fallback)
        else:
            exchange.fail(NOBODY_UP)


class _Attempt:
    """The first service at work. A ``Watcher``."""

    __slots__ = ("_before", "_exchange", "_failover")

    def __init__(self, failover: Failover, exchange: Exchange, before: tuple[Watcher, ...]) -> None:
        self._failover = failover
        self._exchange = exchange
        self._before = before

    def responding(self, response: ResponseHead) -> bool:
        if not self._failover.takes_over(self._exchange, response.status):
            return True
        self._failover.take_over(self._exchange, self._before)
        return False

    def ended(self, complete: bool) -> None:
        """Nothing is kept."""
