"""A service that cannot run: it keeps its place and stays closed, so that the rest of the table can be used."""

from __future__ import annotations

from doorward.proxy.answers import BROKEN_ROUTE
from doorward.proxy.exchange import Exchange


class Unavailable:
    """Answers 503; the reason is for the log."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    @property
    def up(self) -> bool:
        return False

    def serve(self, exchange: Exchange) -> None:
        exchange.complain("service.broken", self.name, self._reason)
        exchange.fail(BROKEN_ROUTE)
