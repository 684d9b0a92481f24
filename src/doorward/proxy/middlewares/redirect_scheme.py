"""``redirectScheme``: send a browser to the same page under another scheme or port.

The target is built from the host that the router matched, never from the raw request target (S-225). GET gets 302
or 301; any other method 307 or 308, so that it stays the same method.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.messages.routing import RedirectScheme
from doorward.proxy.forwarding import port_of
from doorward.proxy.request import Request, ResponseHead

_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}
_TEXTS = {
    301: b"Moved Permanently",
    302: b"Found",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
}
_NO_HOST = HttpAnswer(400, ((b"Content-Type", b"text/plain; charset=utf-8"),), b"Bad Request")


class RedirectSchemeMiddleware:
    """Runs one ``redirectScheme``."""

    def __init__(self, middleware: RedirectScheme) -> None:
        self._scheme = middleware.scheme.encode()
        port = middleware.port.encode()
        self._port = b"" if port == _DEFAULT_PORTS.get(self._scheme) else port
        self._permanent = middleware.permanent

    def enter(self, request: Request) -> HttpAnswer | None:
        if not request.host:
            return _NO_HOST
        scheme = _scheme_of(request)
        if scheme == self._scheme and self._is_there(request, scheme):
            return None
        uri = request.path if request.query is None else request.path + b"?" + request.query
        port = b":" + self._port if self._port else b""
        location = self._scheme + b"://" + request.host + port + uri
        status = (301 if self._permanent else 302) if request.method == b"GET" else 308 if self._permanent else 307
        headers = ((b"Location", location), (b"Content-Type", b"text/plain; charset=utf-8"))
        return HttpAnswer(status, headers, _TEXTS[status])

    def _is_there(self, request: Request, scheme: bytes) -> bool:
        wanted = self._port or _DEFAULT_PORTS[self._scheme]
        return port_of(request.authority, scheme == b"https") == wanted

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass


def _scheme_of(request: Request) -> bytes:
    """The scheme that the client used, as far as we may know: what a trusted peer said, else the socket."""
    said = (request.first(b"x-forwarded-proto") or b"").lower()
    if said in (b"https", b"wss"):
        return b"https"
    if said in (b"http", b"ws"):
        return b"http"
    return b"https" if request.tls else b"http"
