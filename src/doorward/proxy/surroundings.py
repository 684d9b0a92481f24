"""What all exchanges of a worker share."""

from __future__ import annotations

from collections.abc import Callable

from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.open_sessions import OpenSessions
from doorward.proxy.rechecks import Rechecks
from doorward.proxy.request import Request
from doorward.proxy.routing import Routes
from doorward.proxy.service import Ledger


def _nobody_asks(request: Request, reason: str, detail: str) -> None:
    """Keeps no record."""


class Surroundings:
    """``routes`` are those of requests that come from now on; ``ledgers`` hear of each that is over."""

    def __init__(self, routes: Routes, ledgers: tuple[Ledger, ...]) -> None:
        self.routes = routes
        self.ledgers = ledgers
        self.sessions = OpenSessions()
        self.rechecks = Rechecks()
        self.complaints = Complaints()
        self.refused: Callable[[Request, str, str], None] = _nobody_asks
        """Is told which request the proxy refuses by itself, why, and what belongs to that."""

    def apart(self) -> Surroundings:
        """The same without ledgers."""
        apart = Surroundings(self.routes, ())
        apart.sessions, apart.complaints = self.sessions, self.complaints
        apart.rechecks = self.rechecks
        return apart
