"""``http.services.<name>`` (``contracts/proxy.md`` section 8)."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from doorward.config.health_checks import HealthCheck, HealthPropagation, PassiveHealthCheck
from doorward.config.section import Flag, Names, Section, Text, parse_duration
from doorward.config.sticky import Sticky


def _server_url(text: str) -> str:
    if text.startswith("unix:"):
        if not text.removeprefix("unix:").startswith("/"):
            raise ValueError("needs an absolute path, as in unix:/run/app.sock")
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https", "h2c") or not parts.hostname or parts.username is not None:
        raise ValueError("must be http://host:port, https://host:port, h2c://host:port or unix:/path")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a URL without spaces and with other characters escaped")
    _ = parts.port  # ValueError when it is no number
    return text


def _flush_interval(text: str) -> str:
    parse_duration(text.removeprefix("-"))
    return text


_STATUSES = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.ASCII)


def status_ranges(texts: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """``("502", "500-504")`` as pairs of first and last. Raises ValueError."""
    ranges = []
    for text in texts:
        match = _STATUSES.fullmatch(text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ValueError(f"must be statuses such as 502 or ranges such as 500-504, not {text[:60]!r}")
        ranges.append((first, last))
    return tuple(ranges)


def known_statuses(texts: tuple[str, ...]) -> tuple[str, ...]:
    """``texts``, when all of them are statuses or ranges. Raises ValueError."""
    status_ranges(texts)
    return texts


class Server(Section):
    url: Annotated[Text, AfterValidator(_server_url)]
    """``http://host:port``, ``https://host:port``, ``h2c://host:port`` (HTTP/2 without TLS) or ``unix:/path``."""
    weight: int = Field(default=1, le=1_000_000)
    """Share of the requests; 0 and less takes the server out."""
    preserve_path: Flag = False
    """Put the path of ``url`` before that of the request."""


class ResponseForwarding(Section):
    flush_interval: Annotated[Text, AfterValidator(_flush_interval)] = "100ms"
    """Accepted and without effect: what a server sends is passed on at once."""


class LoadBalancer(Section):
    """Several equal servers."""

    servers: tuple[Server, ...] = ()
    strategy: Literal["wrr", "p2c", "hrw", "leasttime"] = "wrr"
    """``wrr``: in turn by weight; ``p2c``: the less busy of two at random; ``hrw``: by the client's address;
    ``leasttime``: the quickest."""
    sticky: Sticky | None = None
    health_check: HealthCheck | None = None
    passive_health_check: PassiveHealthCheck | None = None
    pass_host_header: Flag = True
    """Servers get the client's Host; otherwise that of their URL."""
    response_forwarding: ResponseForwarding = ResponseForwarding()
    servers_transport: Text = ""
    """Name of a ``serversTransports`` object; the static configuration's transport by default."""


class Part(Section):
    name: Text
    """Of another service: ``app``, or ``app@file``."""
    weight: int = Field(default=1, le=1_000_000)
    """Share of the requests; 0 and less takes the service out."""


class Weighted(Section):
    """Several services, in turn by weight."""

    services: tuple[Part, ...] = Field(min_length=1)
    sticky: Sticky | None = None
    health_check: HealthPropagation | None = None
    """Pass over services that have no healthy server."""


class HighestRandomWeight(Section):
    """Several services; the client's address decides."""

    services: tuple[Part, ...] = Field(min_length=1)
    health_check: HealthPropagation | None = None


class Mirror(Section):
    name: Text
    """Of the service that gets copies."""
    percent: int = Field(default=0, ge=0, le=100)
    """Share of the requests that are copied."""


class Mirroring(Section):
    """One service answers, others get copies of the requests."""

    service: Text
    """Name of the service that answers."""
    mirrors: tuple[Mirror, ...] = ()
    mirror_body: Flag = True
    """Copy bodies as well."""
    max_body_size: int = Field(default=1 << 20, ge=0)
    """Bytes; a request with a longer body is not mirrored. There is no "unlimited"."""
    health_check: HealthPropagation | None = None


class FailoverErrors(Section):
    """What makes the fallback answer besides the first one's health."""

    status: Annotated[Names, AfterValidator(known_statuses)] = Field(min_length=1)
    """``502`` or ``500-504``."""
    max_request_body_bytes: int = Field(default=1 << 20, ge=0)
    """Bytes of a request's body that are kept to be sent again; more is answered 413. There is no "unlimited"."""


class Failover(Section):
    """Another service takes over when the first is down, or answers certain statuses."""

    service: Text
    """Name of the first service; without ``errors`` it needs a health check."""
    fallback: Text
    """Name of the other."""
    health_check: HealthPropagation | None = None
    errors: FailoverErrors | None = None


class Service(Section):
    """Exactly one of the types. None, or two in one object, break every router that uses it."""

    load_balancer: LoadBalancer | None = None
    weighted: Weighted | None = None
    highest_random_weight: HighestRandomWeight | None = None
    mirroring: Mirroring | None = None
    failover: Failover | None = None
    middlewares: Names = ()
    """What a request passes after the middlewares of its router, in this order. Only for a service that routers name:
    one that is a part of another must have none."""

    def types(self) -> tuple[str, ...]:
        """The types that this object gives, in Traefik's spelling."""
        return tuple(
            field.alias or name
            for name, field in type(self).model_fields.items()
            if name != "middlewares" and getattr(self, name) is not None
        )
