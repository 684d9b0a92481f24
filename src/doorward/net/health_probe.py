"""One question to one server: are you well? (``healthCheck``, ``contracts/proxy.md`` section 8.1)

It goes to the server's own origin and nowhere else: the path is a path (S-651), and a redirection elsewhere is not
followed but counts by its status.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.routing import ClientTls, HealthCheck
from doorward.net import grpc_health
from doorward.net.client import Client, TooLarge, Unreachable
from doorward.net.origin import DEFAULT_PORTS, Origin

MAX_REDIRECTIONS = 10
_MAX_BODY = 1 << 20
"""Bytes that are read to keep the connection; what they say does not count."""
_MAX_MESSAGE = 4096
_REDIRECTIONS = frozenset((301, 302, 303, 307, 308))


class Probe(Struct, frozen=True):
    """Whom to ask, and how."""

    url: str
    tls: ClientTls | None
    check: HealthCheck

    def origin(self) -> Origin:
        """Where the question goes: the server, with the check's scheme and port. Raises ValueError."""
        server, check = Origin.parse(self.url, self.tls), self.check
        if server.scheme == "unix":
            return server
        scheme = check.scheme or server.scheme
        is_default = server.port == DEFAULT_PORTS[server.scheme]
        port = check.port or (DEFAULT_PORTS[scheme] if is_default and scheme != server.scheme else server.port)
        return Origin(scheme, server.host, port, tls=self.tls if scheme == "https" else None)


async def ask(client: Client, probe: Probe) -> str:
    """Why the server is not healthy; empty when it is."""
    check = probe.check
    try:
        async with asyncio.timeout(check.timeout):
            if check.grpc:
                return await _ask_grpc(client, probe.origin(), check)
            status = await _Conversation(client, probe.origin(), check).final_status()
    except TimeoutError:
        return f"no answer within {check.timeout:g} s"
    except (Unreachable, ValueError) as error:
        return str(error)
    if status == check.status if check.status else 200 <= status < 400:
        return ""
    return f"it answered {status}"


async def _ask_grpc(client: Client, origin: Origin, check: HealthCheck) -> str:
    """Raises Unreachable."""
    if origin.scheme not in ("h2c", "https"):
        return "gRPC needs a server whose URL begins with h2c:// or https://"
    host = check.hostname.encode("ascii") or origin.authority
    question = grpc_health.question(host, _encoded(check.headers))
    try:
        answer = await client.fetch(question, origin, timeout=check.timeout, max_body=_MAX_MESSAGE, http2=True)
    except TooLarge:
        return "its answer is no gRPC message"
    return grpc_health.complaint(answer)


def _encoded(headers: tuple[tuple[str, str], ...]) -> tuple[Header, ...]:
    return tuple((name.encode("ascii"), value.encode("utf-8")) for name, value in headers)


@dataclass(slots=True)
class _Conversation:
    client: Client
    origin: Origin
    check: HealthCheck

    async def final_status(self) -> int:
        """Raises Unreachable."""
        method, target = self.check.method.encode("ascii"), self.check.target.encode("ascii")
        for _ in range(MAX_REDIRECTIONS):
            try:
                answer = await self._fetch(method, target)
            except TooLarge as answered:
                return answered.status
            following = self._redirection(answer, target) if self.check.follow_redirects else None
            if following is None:
                return answer.status
            if answer.status < 307 and method != b"HEAD":
                method = b"GET"
            target = following
        return answer.status

    async def _fetch(self, method: bytes, target: bytes) -> HttpAnswer:
        question = HttpQuestion(method, target, self._headers(), b"")
        return await self.client.fetch(question, self.origin, timeout=self.check.timeout, max_body=_MAX_BODY)

    def _headers(self) -> tuple[Header, ...]:
        headers = list(_encoded(self.check.headers))
        names = {name.lower() for name, _ in headers}
        if b"host" not in names:
            headers.insert(0, (b"Host", self.check.hostname.encode("ascii") or self.origin.authority))
        if b"user-agent" not in names:
            headers.append((b"User-Agent", b"Doorward"))
        return tuple(headers)

    def _redirection(self, answer: HttpAnswer, target: bytes) -> bytes | None:
        """The next target; None when this answer is the last one, or leads to another origin."""
        locations = [value for name, value in answer.headers if name.lower() == b"location"]
        if answer.status not in _REDIRECTIONS or len(locations) != 1:
            return None
        here = f"{self._scheme}://{self.origin.authority.decode('ascii')}"
        try:
            parts = urlsplit(urljoin(here + target.decode("ascii"), locations[0].decode("ascii")))
            there = Origin.parse(f"{parts.scheme}://{parts.netloc}", self.origin.tls)
        except ValueError:
            return None
        if there != Origin.parse(here, self.origin.tls):
            return None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return path.encode("ascii") if path.isprintable() and " " not in path else None

    @property
    def _scheme(self) -> str:
        return "http" if self.origin.scheme in ("unix", "h2c") else self.origin.scheme
