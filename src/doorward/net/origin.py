"""Where a request can be sent: one server, reached over TCP, TLS or a Unix socket."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from doorward.messages.routing import ClientTls

DEFAULT_PORTS = {"http": 80, "https": 443, "h2c": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """One server. Two equal origins share their connections."""

    scheme: str
    """http, https, h2c (HTTP/2 without TLS, known beforehand) or unix."""
    host: str = ""
    """Name or address, without brackets; empty for a Unix socket."""
    port: int = 0
    path: str = ""
    """Path of the Unix socket; empty otherwise."""
    tls: ClientTls | None = None
    """How to trust the server and who we are to it; None means the system's authorities and nobody."""
    address: str = ""
    """Where to connect instead of looking ``host`` up; the certificate must be ``host``'s all the same."""

    @classmethod
    def parse(cls, url: str, tls: ClientTls | None = None) -> Origin:
        """The origin of ``http://host[:port]/…``, ``https://…``, ``h2c://…`` or ``unix:/path/to/socket``.

        What follows the authority of a URL is not looked at. Raises ValueError when ``url`` is none of these.
        """
        if url.startswith("unix:"):
            path = url.removeprefix("unix:")
            if path.startswith("//"):
                path = path[2:]
            if not path.startswith("/"):
                raise ValueError(f"a Unix socket needs an absolute path: {url!r}")
            return cls("unix", path=path)
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
            raise ValueError(f"not a server address (http://host, https://host, h2c://host or unix:/path): {url!r}")
        port = parts.port if parts.port is not None else DEFAULT_PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname, port, tls=tls if parts.scheme == "https" else None)

    @property
    def authority(self) -> bytes:
        """For the Host field: host, and port unless it is the scheme's default; ``localhost`` for a Unix socket."""
        if self.scheme == "unix":
            return b"localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port != DEFAULT_PORTS[self.scheme]:
            host += f":{self.port}"
        return host.encode("ascii")
