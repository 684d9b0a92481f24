"""``entryPoints.<name>`` as an operator writes it (``contracts/proxy.md`` section 1.2)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from doorward.config.encoded_characters import AllowedEscapes
from doorward.config.section import Duration, Flag, Names, Section, Text, WithCommas, not_yet

MAX_PRIORITY = 2**63 - 1


def parse_address(text: str) -> tuple[str, int]:
    """``[host]:port[/tcp]`` as host and port; the host is empty for all addresses. Raises ValueError."""
    address = text
    for protocol in ("/tcp", "/TCP"):
        address = address.removesuffix(protocol)
    if address.lower().endswith("/udp"):
        raise ValueError("is a UDP address: Traefik has this option, Doorward does not support it yet")
    host, colon, port = address.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65535:
        raise ValueError("must be an address such as :8080 or 127.0.0.1:8080")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("must have its IPv6 address in brackets")
    return host, int(port)


def _address(text: str) -> str:
    parse_address(text)
    return text


def _network(text: str) -> str:
    if text != "unix":
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from None
    return text


def _address_or_network(text: str) -> str:
    if text == "unix":
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8")
    return _network(text)


def _middleware_name(text: str) -> str:
    if "@" not in text:
        raise ValueError("must name its provider, as in name@file")
    return text


class ForwardedHeaders(Section):
    """Whose ``X-Forwarded-*`` are believed. Nobody's, unless this says so."""

    refused = not_yet("addXForwardedSchemeHeaders")

    insecure: Flag = False
    """Believe everybody. Anybody can then pretend any address, host and scheme."""
    trusted_ips: Annotated[tuple[Annotated[Text, AfterValidator(_network)], ...] | None, WithCommas] = Field(
        default=None, alias="trustedIPs"
    )
    """Addresses and networks of proxies in front of us; ``unix`` for peers on a Unix socket. Nobody's, except at the
    identity provider's entry point: there those of loopback and private networks, which a start says; whoever is in
    them can pretend any client address, so list the proxies you have."""
    connection: Names = ()
    """Fields that a client may list in ``Connection`` without taking them away from the middlewares."""
    not_append_x_forwarded_for: Flag = Field(default=False, alias="notAppendXForwardedFor")
    """Leave the address of the peer out of ``X-Forwarded-For``. Applications that count from its right end are then
    told what the client wants."""


class ProxyProtocol(Section):
    """The PROXY protocol, versions 1 and 2: a load balancer in front of us says whose connection it passes on."""

    trusted_ips: Annotated[tuple[Annotated[Text, AfterValidator(_address_or_network)], ...], WithCommas] = Field(
        default=(), alias="trustedIPs"
    )
    """Addresses and networks of load balancers. A header from anybody else is refused."""
    insecure: Flag = False
    """Believe everybody. Anybody can then pretend any address."""

    @model_validator(mode="after")
    def _believes_somebody(self) -> Self:
        if not self.trusted_ips and not self.insecure:
            raise ValueError("believes nobody: list trustedIPs")
        return self


class EntryPointRedirection(Section):
    """Send every request of this entry point to another one."""

    to: Text
    """Name of an entry point, or ``:port``."""
    scheme: Literal["http", "https"] = "https"
    permanent: Flag = True
    priority: int = Field(default=MAX_PRIORITY - 1, ge=1, le=MAX_PRIORITY - 1)


class Redirections(Section):
    entry_point: EntryPointRedirection | None = None


class EntryPointTls(Section):
    """Its presence makes every router of the entry point a TLS router, unless the router has its own ``tls``."""

    refused = not_yet("certResolver", "domains")

    options: Text = ""
    """Set of TLS options, with its provider (``name@file``), for routers without ``tls`` of their own and for names of
    which no router speaks; ``default`` when empty."""


def _always(value: object) -> object:
    if value is False or str(value).lower() == "false":
        raise ValueError(
            "cannot be false: dot segments and doubled slashes are always taken out, because a path that the "
            "application reads otherwise than we do passes every rule"
        )
    return value


class EntryPointHttp(Section):
    refused = not_yet("encodeQuerySemicolons")

    encoded_characters: AllowedEscapes = AllowedEscapes()

    middlewares: Annotated[tuple[Annotated[Text, AfterValidator(_middleware_name)], ...], WithCommas] = ()
    """Run before those of each router; each with its provider (``name@file``)."""
    tls: EntryPointTls | None = None
    redirections: Redirections | None = None
    max_header_bytes: int = Field(default=65536, ge=1024, le=1 << 20)
    """Bytes of all header fields of a request; more is answered 431."""
    alias_headers_strategy: Literal["delete", "reject", "keep"] | None = None
    """What happens to a header name with a character outside letters, digits and ``-``. Default: delete."""
    underscore_headers_strategy: Literal["delete", "reject", "keep"] | None = None
    """Older name of ``aliasHeadersStrategy``, which wins."""
    sanitize_path: Annotated[Flag, BeforeValidator(_always)] = True
    """Dot segments and doubled slashes always go; Traefik can switch this off, Doorward cannot."""


class RespondingTimeouts(Section):
    read_timeout: Duration | None = None
    """Time for a whole request, body included. By default bodies have no total limit but a least speed, as with 0. The
    header section never has more than 10 s."""
    write_timeout: Duration = 60.0
    """Longest time in which the client takes not a byte of the response; 0 means the default."""
    idle_timeout: Duration = 180.0
    """Longest silence between two requests on a connection."""


class LifeCycle(Section):
    request_accept_grace_timeout: Duration = 0.0
    """How long connections are still accepted after the order to stop, while readiness already says no: the time that
    a load balancer needs to notice."""
    grace_time_out: Duration = 10.0
    """How long a stop then waits for what is in flight."""


class Transport(Section):
    keep_alive_max_requests: int = Field(default=0, ge=0)
    """Requests after which a connection is closed; 0: any number."""
    keep_alive_max_time: Duration = 0.0
    """Age at which a connection is closed after the request that it carries; 0: any age."""
    responding_timeouts: RespondingTimeouts = RespondingTimeouts()
    life_cycle: LifeCycle = LifeCycle()


class EntryPoint(Section):
    """An address on which requests come in."""

    refused = not_yet("allowACMEByPass", "http2", "http3", "udp", "observability")

    address: Annotated[Text, AfterValidator(_address)]
    """``[host]:port``."""
    as_default: Flag = False
    """Routers without ``entryPoints`` use those that have this; all of them when none has it."""
    reuse_port: Flag = True
    """Doorward's workers always share their ports this way."""
    forwarded_headers: ForwardedHeaders = ForwardedHeaders()
    proxy_protocol: ProxyProtocol | None = None
    http: EntryPointHttp = EntryPointHttp()
    transport: Transport = Transport()
