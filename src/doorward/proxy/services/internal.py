"""A service that lives in this worker: it gets the complete body, at most 1 MiB, and gives a complete answer."""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.proxy.answers import BODY_TOO_LARGE, BODY_TOO_SLOW, Failure, failure_answer
from doorward.proxy.body_collector import BodyTooSlow, collect_body
from doorward.proxy.exchange import Exchange
from doorward.proxy.ports import InternalService, Lasting
from doorward.proxy.request import BodyTooLarge

MAX_BODY = 1 << 20


class Internal:
    """Runs an ``InternalService`` behind a router."""

    def __init__(self, name: str, service: InternalService) -> None:
        self.name = name
        self._service = service
        self._lasting = service if isinstance(service, Lasting) else None

    def serve(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.body_length == 0 or request.body is not None:
            outcome = self._service.answer(request, request.body or b"")
            if isinstance(outcome, HttpAnswer):
                if self._lasting is not None and exchange.goes_straight_to(self):
                    exchange.lasting, exchange.said = self._lasting, outcome
                exchange.answer(outcome)
            else:
                exchange.wait(outcome)
        else:
            exchange.wait(self._answer_with_body(exchange))

    async def _answer_with_body(self, exchange: Exchange) -> HttpAnswer:
        request = exchange.request
        try:
            body = await collect_body(exchange.downstream, MAX_BODY)
        except BodyTooLarge:
            return _plain(exchange, BODY_TOO_LARGE)
        except BodyTooSlow:
            return _plain(exchange, BODY_TOO_SLOW)
        outcome = self._service.answer(request, body)
        return outcome if isinstance(outcome, HttpAnswer) else await outcome


def _plain(exchange: Exchange, failure: Failure) -> HttpAnswer:
    request = exchange.request
    return failure_answer(failure, request.first(b"accept") or b"", request.id)
