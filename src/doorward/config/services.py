"""``http.services.<name>`` and ``http.serversTransports.<name>`` (``contracts/proxy.md`` section 8)."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from doorward.config.section import Flag, Names, Section, Text, not_yet
from doorward.config.static import ForwardingTimeouts


def _server_url(text: str) -> str:
    if text.startswith("unix:"):
        if not text.removeprefix("unix:").startswith("/"):
            raise ValueError("needs an absolute path, as in unix:/run/app.sock")
        return text
    parts = urlsplit(text)
    if parts.scheme == "h2c":
        raise ValueError("has the scheme h2c: Traefik has this option, Doorward does not support it yet")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("must be http://host:port, https://host:port or unix:/path")
    _ = parts.port  # ValueError when it is no number
    return text


class Server(Section):
    url: Annotated[Text, AfterValidator(_server_url)]
    """``http://host:port``, ``https://host:port`` or ``unix:/path``."""
    weight: int = 1
    """Share of the requests; 0 and less takes the server out."""
    preserve_path: Flag = False
    """Put the path of ``url`` before that of the request."""


class LoadBalancer(Section):
    refused = not_yet("sticky", "healthCheck", "passiveHealthCheck", "responseForwarding")

    servers: tuple[Server, ...] = ()
    strategy: Literal["wrr"] = "wrr"
    """Weighted round robin; Traefik's other strategies are not supported yet."""
    pass_host_header: Flag = True
    servers_transport: Text = ""


class Service(Section):
    """Exactly one of the types."""

    refused = not_yet("weighted", "highestRandomWeight", "mirroring", "failover", "middlewares")

    load_balancer: LoadBalancer | None = None


class ClientCertificate(Section):
    cert_file: Text
    key_file: Text


class ServersTransport(Section):
    """How servers are reached."""

    refused = not_yet("serverName", "cipherSuites", "minVersion", "maxVersion", "peerCertURI", "peerCertSANs", "spiffe")

    insecure_skip_verify: Flag = False
    root_cas: Names = Field(default=(), alias="rootCAs")
    """PEM files or PEM text."""
    certificates: tuple[ClientCertificate, ...] = Field(default=(), max_length=1)
    """Who we are to the server; at most one."""
    max_idle_conns_per_host: int = Field(default=200, ge=0)
    disable_http2: Flag = Field(default=False, alias="disableHTTP2")
    """Servers are asked over HTTP/1.1 in any case."""
    forwarding_timeouts: ForwardingTimeouts = ForwardingTimeouts()
