"""``healthCheck`` and ``passiveHealthCheck`` of a load balancer, and ``healthCheck: {}`` of what combines services
(``contracts/proxy.md`` section 8)."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from doorward.config.middlewares import FieldName, FieldValue
from doorward.config.section import Duration, Flag, Section, Text

_TARGET = re.compile(r"[!-\"$-~]+", re.ASCII)
_AUTHORITY = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?", re.ASCII)
_METHOD = re.compile(r"[A-Z]{1,32}", re.ASCII)


def _target(text: str) -> str:
    """Path and query in origin form. What could mean another server is refused (S-651)."""
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or text.startswith("//"):
        raise ValueError("must be a path on the server itself, such as /health, and no URL")
    if not _TARGET.fullmatch(text):
        raise ValueError("must be a path such as /health?full=1, without spaces and with other characters escaped")
    return text if text.startswith("/") else f"/{text}"


def _method(text: str) -> str:
    if not _METHOD.fullmatch(text) or text in ("CONNECT", "TRACE"):
        raise ValueError("must be a method such as GET or HEAD")
    return text


def _authority(text: str) -> str:
    if text and not _AUTHORITY.fullmatch(text):
        raise ValueError("must be a host name, with a port if need be")
    return text


Positive = Annotated[Duration, Field(gt=0)]


class HealthCheck(Section):
    """Every server is asked from time to time; one that does not answer well gets no requests until it does."""

    path: Annotated[Text, AfterValidator(_target)] = ""
    """On the server itself; needed unless ``mode`` is ``grpc``."""
    mode: Literal["http", "grpc"] = "http"
    """``grpc`` asks the standard health service (``grpc.health.v1.Health/Check``) of servers that are ``h2c://`` or
    ``https://``; of the other options it follows ``port``, ``hostname``, ``headers`` and the times."""
    scheme: Literal["", "http", "https", "h2c"] = ""
    """The server's by default."""
    port: int = Field(default=0, ge=0, le=65535)
    """The server's by default."""
    method: Annotated[Text, AfterValidator(_method)] = "GET"
    """In capitals."""
    status: int = Field(default=0, ge=0, le=599)
    """The only status that is healthy; 0 for 200 to 399."""
    interval: Positive = 30.0
    """Seconds between two questions to a healthy server."""
    unhealthy_interval: Positive | None = None
    """Seconds between two questions to one that is not; ``interval`` by default."""
    timeout: Positive = 5.0
    """Seconds for everything, redirections included."""
    hostname: Annotated[Text, AfterValidator(_authority)] = ""
    """Host to name; the server's by default."""
    headers: dict[FieldName, FieldValue] = {}
    """Sent with the question."""
    follow_redirects: Flag = True
    """Follow redirections that stay on the server; others count by their own status."""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.mode == "http" and not self.path:
            raise ValueError("needs a path such as /health (or mode: grpc)")
        if self.mode == "http" and self.scheme == "h2c":
            raise ValueError("cannot be asked over h2c unless its mode is grpc: use the scheme http or https")
        return self


class PassiveHealthCheck(Section):
    """Watch what servers answer to clients; one that fails too often rests for a while."""

    failure_window: Positive = 10.0
    """Seconds in which failures add up, and in which the server then rests."""
    max_failed_attempts: int = Field(default=1, ge=1, le=1_000_000)
    """Failures: not reached, or a status of 500 or more."""


class HealthPropagation(Section):
    """Its presence makes a service look at the health of its parts."""
