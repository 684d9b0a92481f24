"""The dynamic configuration: what the file provider reads and reads again (``contracts/proxy.md`` section 1.4)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from doorward.config.middlewares import Middleware
from doorward.config.section import Names, Section, Text, not_yet, without_at
from doorward.config.servers_transport import ServersTransport
from doorward.config.services import Service
from doorward.config.tls import Tls

MAX_USER_PRIORITY = 2**63 - 1 - 1000
"""What is above belongs to the routers that Doorward makes itself."""


class RouterTls(Section):
    """Its presence makes the router answer TLS requests, and only those."""

    refused = not_yet("certResolver", "domains")

    options: Text = ""
    """Set of TLS options (``tls.options``) for the hosts of the router; ``default`` when empty."""


class Router(Section):
    refused = not_yet("ruleSyntax", "observability", "parentRefs")

    rule: Text
    service: Text
    entry_points: Names = ()
    """Empty for the default ones."""
    middlewares: Names = ()
    """In the order in which they see the request."""
    priority: int = Field(default=0, ge=-(2**63), le=MAX_USER_PRIORITY)
    """Higher first; 0 for the length of the rule."""
    tls: RouterTls | None = None


class Http(Section):
    routers: Annotated[dict[str, Router], AfterValidator(without_at)] = {}
    services: Annotated[dict[str, Service], AfterValidator(without_at)] = {}
    middlewares: Annotated[dict[str, Middleware], AfterValidator(without_at)] = {}
    servers_transports: Annotated[dict[str, ServersTransport], AfterValidator(without_at)] = {}


class DynamicConfiguration(Section):
    """One provider's routers, services, middlewares and certificates."""

    refused = {
        **not_yet("tcp", "udp"),
        **dict.fromkeys(
            ("entryPoints", "providers", "accessLog", "log", "metrics", "identity"),
            "belongs into the static configuration (the file of --config), not into this one",
        ),
    }

    http: Http = Http()
    tls: Tls = Tls()

    @property
    def is_empty(self) -> bool:
        """Nothing at all is configured."""
        http = self.http
        return not (
            http.routers
            or http.services
            or http.middlewares
            or http.servers_transports
            or self.tls.certificates
            or self.tls.stores
            or self.tls.options
        )
