"""One request of a browser at a protected application, whoever told us about it."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.messages.http import HttpQuestion
from doorward.outpost.application import Application
from doorward.outpost.fields import Fields
from doorward.outpost.hosts import PLAIN, origin_of, parse_authority
from doorward.outpost.paths import own_target
from doorward.outpost.sessions.cookie import Presented


@dataclass(slots=True)
class Visit:
    """What all decisions are made from."""

    application: Application
    method: str
    """The browser's, not that of the sub-request."""
    scheme: str
    """As said: http, https, ws or wss."""
    host: str
    """As said, with the port if one was named."""
    path: str
    query: str | None
    fields: Fields
    presented: Presented
    question: HttpQuestion
    direct: bool
    """The browser itself reads the answer. Otherwise a proxy does, and takes every 2xx for "may pass"."""

    @property
    def origin(self) -> str:
        """Where the browser is: the application's origin, or for a domain that of the host that was asked for."""
        return self.application.origin_at(parse_authority(self.host), PLAIN.get(self.scheme, self.scheme))

    @property
    def said_origin(self) -> str:
        """Scheme and host as the proxy said them, in their one spelling."""
        place = parse_authority(self.host)
        scheme = PLAIN.get(self.scheme, self.scheme)
        return "" if place is None else origin_of(place, scheme)

    @property
    def rule_origin(self) -> str:
        """What rules about paths find before a path: the origin, where they are about a whole domain."""
        return self.said_origin if self.application.domain else ""

    @property
    def target(self) -> str:
        """What was asked for, as ``Application.url`` takes it."""
        asked = self.path if self.query is None else f"{self.path}?{self.query}"
        origin = self.origin
        return asked if origin == self.application.origin else origin + asked

    def own_target(self, rd: str) -> str:
        """Where ``rd`` leads from here; see ``paths.own_target``."""
        return own_target(self.application, rd, self.origin)

    @property
    def client_ip(self) -> str:
        """Where our own proxy stands before the application, or the browser itself asks: the client, behind whatever
        proxies that one trusts. Otherwise the address that the proxy which asks names, or its own."""
        if self.question.client and (self.direct or not self.question.peer):
            return self.question.client
        return self.fields.text("x-forwarded-for").rpartition(",")[2].strip() or self.question.peer

    @property
    def url_for_events(self) -> str:
        """Without the query, which may hold a code or another secret."""
        return self.origin + self.path
