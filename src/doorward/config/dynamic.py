"""The dynamic configuration: what the file provider reads and reads again (``contracts/proxy.md`` section 1.4)."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from doorward.config.middlewares import Middleware
from doorward.config.section import Names, Section, Text, not_yet
from doorward.config.servers_transport import ServersTransport
from doorward.config.services import Service

MAX_USER_PRIORITY = 2**63 - 1 - 1000
"""What is above belongs to the routers that Doorward makes itself."""

T = TypeVar("T")


def _without_at(objects: dict[str, T]) -> dict[str, T]:
    """``@`` separates name and provider; in a name it could pretend to be another provider's object (S-717)."""
    wrong = [name for name in objects if "@" in name or not name]
    if wrong:
        raise ValueError(f"names must not be empty or contain @: {', '.join(map(repr, wrong))}")
    return objects


class RouterTls(Section):
    """Its presence makes the router answer TLS requests, and only those."""

    refused = not_yet("options", "certResolver", "domains")


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
    routers: Annotated[dict[str, Router], AfterValidator(_without_at)] = {}
    services: Annotated[dict[str, Service], AfterValidator(_without_at)] = {}
    middlewares: Annotated[dict[str, Middleware], AfterValidator(_without_at)] = {}
    servers_transports: Annotated[dict[str, ServersTransport], AfterValidator(_without_at)] = {}


class Certificate(Section):
    """A PEM file, or PEM text, each for the chain and for the key."""

    cert_file: Text
    key_file: Text
    stores: Names = ()
    """Only the store ``default`` exists."""


class DefaultCertificate(Section):
    cert_file: Text
    key_file: Text


class Store(Section):
    refused = not_yet("defaultGeneratedCert")

    default_certificate: DefaultCertificate | None = None
    """For names that no other certificate holds."""


class Tls(Section):
    refused = not_yet("options")

    certificates: tuple[Certificate, ...] = ()
    stores: dict[str, Store] = {}


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
        )
