"""One server of a load balancer, with everything about it that a request to it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from doorward.messages import routing as messages
from doorward.net.pool import Pool
from doorward.proxy.services.latency import Latency


@dataclass(slots=True, eq=False)
class Server:
    url: str
    """For the log: without what is only for us."""
    pool: Pool
    authority: bytes
    """The Host field to send; empty: the client's."""
    prefix: bytes
    """Put before every path (``preservePath``); without trailing slash."""
    weight: int = 1
    in_flight: int = 0
    """Requests that it is working on, as far as this worker gave them to it; counted where somebody asks."""
    latency: Latency = field(default_factory=Latency)

    @classmethod
    def build(cls, server: messages.Server, pool: Pool, pass_host: bool) -> Server:
        prefix = b""
        if server.preserve_path and not server.url.startswith("unix:"):
            prefix = urlsplit(server.url).path.rstrip("/").encode("ascii")
        return cls(server.url, pool, b"" if pass_host else pool.origin.authority, prefix, server.weight)
