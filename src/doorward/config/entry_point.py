"""``entryPoints.<name>`` as an operator writes it (``contracts/proxy.md`` section 1.2)."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from doorward.config.section import Duration, Flag, Section, Text, WithCommas, not_yet

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


def _middleware_name(text: str) -> str:
    if "@" not in text:
        raise ValueError("must name its provider, as in name@file")
    return text


class ForwardedHeaders(Section):
    """Whose ``X-Forwarded-*`` are believed. Nobody's, unless this says so."""

    refused = not_yet("connection", "notAppendXForwardedFor", "addXForwardedSchemeHeaders")

    insecure: Flag = False
    """Believe everybody. Anybody can then pretend any address, host and scheme."""
    trusted_ips: Annotated[tuple[Annotated[Text, AfterValidator(_network)], ...] | None, WithCommas] = Field(
        default=None, alias="trustedIPs"
    )
    """Addresses and networks of proxies in front of us; ``unix`` for peers on a Unix socket."""


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

    refused = not_yet("options", "certResolver", "domains")


class EntryPointHttp(Section):
    refused = not_yet("encodedCharacters", "encodeQuerySemicolons")

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
    sanitize_path: Literal[True] = True
    """Dot segments and doubled slashes always go; Traefik can switch this off, Doorward cannot."""


class RespondingTimeouts(Section):
    read_timeout: Duration = 10.0
    """Time for the whole header section, at most 10 s. Bodies have no total limit but a least speed."""
    write_timeout: Duration = 60.0
    """Longest time in which the client takes not a byte of the response; 0 means the default."""
    idle_timeout: Duration = 180.0
    """Longest silence between two requests on a connection."""


class LifeCycle(Section):
    refused = not_yet("requestAcceptGraceTimeout")

    grace_time_out: Duration = 10.0
    """How long a stop waits for what is in flight."""


class Transport(Section):
    refused = not_yet("keepAliveMaxRequests", "keepAliveMaxTime")

    responding_timeouts: RespondingTimeouts = RespondingTimeouts()
    life_cycle: LifeCycle = LifeCycle()


class EntryPoint(Section):
    """An address on which requests come in."""

    refused = not_yet("allowACMEByPass", "proxyProtocol", "http2", "http3", "udp", "observability")

    address: Annotated[Text, AfterValidator(_address)]
    """``[host]:port``."""
    as_default: Flag = False
    """Routers without ``entryPoints`` use those that have this; all of them when none has it."""
    reuse_port: Flag = True
    """Doorward's workers always share their ports this way."""
    forwarded_headers: ForwardedHeaders = ForwardedHeaders()
    http: EntryPointHttp = EntryPointHttp()
    transport: Transport = Transport()
