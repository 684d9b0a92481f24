"""``noop@internal``: the service of a router whose middlewares always answer, such as a redirection."""

from __future__ import annotations

from typing import Protocol

from doorward.proxy.answers import NO_ROUTE, Failure


class _Failing(Protocol):
    def fail(self, failure: Failure) -> None: ...


class Nothing:
    """Answers what there is: no such page."""

    name = "noop@internal"

    def serve(self, exchange: _Failing) -> None:
        exchange.fail(NO_ROUTE)
