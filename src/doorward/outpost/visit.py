"""One request of a browser at a protected application, whoever told us about it."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.messages.http import HttpQuestion
from doorward.outpost.applications import Application
from doorward.outpost.fields import Fields
from doorward.outpost.sessions.cookie import Presented


@dataclass(slots=True)
class Visit:
    """What all decisions are made from."""

    application: Application
    method: str
    """The browser's, not that of the sub-request."""
    scheme: str
    """As said: http, https, ws or wss."""
    path: str
    query: str | None
    fields: Fields
    presented: Presented
    question: HttpQuestion
    direct: bool
    """The browser itself reads the answer. Otherwise a proxy does, and takes every 2xx for "may pass"."""

    @property
    def target(self) -> str:
        """Path and query as they were asked for."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def client_ip(self) -> str:
        """For events: the address that the nearest proxy names, or else the peer's."""
        return self.fields.text("x-forwarded-for").rpartition(",")[2].strip() or self.question.peer

    @property
    def url_for_events(self) -> str:
        """Without the query, which may hold a code or another secret."""
        return self.application.url(self.path)
