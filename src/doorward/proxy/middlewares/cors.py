"""The cross-origin half of ``headers``: preflights are answered here, other answers get their fields added."""

from __future__ import annotations

from doorward.config.patterns import MAX_SUBJECT, compile_pattern
from doorward.messages.http import Header, HttpAnswer
from doorward.messages.routing import Headers
from doorward.proxy.request import Request, ResponseHead


class Cors:
    """``accessControl*`` of one ``headers`` middleware."""

    def __init__(self, middleware: Headers) -> None:
        """Raises ValueError for an origin expression that may not run."""
        self._origins = frozenset(middleware.access_control_allow_origin_list)
        self._patterns = [compile_pattern(text) for text in middleware.access_control_allow_origin_list_regex]
        self._methods = middleware.access_control_allow_methods
        self._headers = middleware.access_control_allow_headers
        self._expose = ", ".join(middleware.access_control_expose_headers).encode()
        self._credentials = middleware.access_control_allow_credentials
        self._max_age = middleware.access_control_max_age
        self._vary = middleware.add_vary_header
        self.active = bool(
            self._origins
            or self._patterns
            or self._methods
            or self._headers
            or self._expose
            or self._credentials
            or self._max_age
            or self._vary
        )

    def preflight(self, request: Request) -> HttpAnswer | None:
        """The answer to a preflight, also for an origin that is not allowed; None when it is none."""
        if request.method != b"OPTIONS":
            return None
        origin = request.first(b"origin")
        method = request.first(b"access-control-request-method")
        if origin is None or not method:
            return None
        headers: list[Header] = []
        allowed = self._allowed(origin)
        if allowed is not None:
            headers.append((b"Access-Control-Allow-Origin", allowed))
            if self._credentials:
                headers.append((b"Access-Control-Allow-Credentials", b"true"))
            headers += _list(b"Access-Control-Allow-Methods", self._methods, self._echo(method))
            asked = request.first(b"access-control-request-headers") or b""
            headers += _list(b"Access-Control-Allow-Headers", self._headers, self._echo(asked))
            if self._max_age:
                headers.append((b"Access-Control-Max-Age", str(self._max_age).encode()))
        if self._vary or allowed != b"*":
            headers.append((b"Vary", b"Origin"))
        return HttpAnswer(200, tuple(headers))

    def add(self, request: Request, response: ResponseHead) -> None:
        """Put the fields of a plain cross-origin answer on ``response``; the application's own ones give way."""
        origin = request.first(b"origin")
        allowed = self._allowed(origin) if origin is not None else None
        if allowed is not None:
            response.headers = [h for h in response.headers if h[0].lower() not in _OURS]
            response.headers.append((b"Access-Control-Allow-Origin", allowed))
            if self._credentials:
                response.headers.append((b"Access-Control-Allow-Credentials", b"true"))
            if self._expose:
                response.headers.append((b"Access-Control-Expose-Headers", self._expose))
        if self._vary or (allowed is not None and allowed != b"*"):
            _vary_by_origin(response)

    def _allowed(self, origin: bytes) -> bytes | None:
        """The value for Access-Control-Allow-Origin, or None."""
        text = origin.decode("latin-1")
        if "*" in self._origins:
            # A browser takes no "*" together with credentials.
            return origin if self._credentials else b"*"
        if text in self._origins:
            return origin
        if len(text) <= MAX_SUBJECT and any(pattern.search(text) for pattern in self._patterns):
            return origin
        return None

    def _echo(self, asked: bytes) -> bytes | None:
        """What the browser asked for, where ``*`` would mean a literal star to it."""
        return asked if self._credentials else None


_OURS = frozenset(
    (
        b"access-control-allow-origin",
        b"access-control-allow-credentials",
        b"access-control-expose-headers",
    )
)


def _list(name: bytes, values: tuple[str, ...], echo: bytes | None) -> list[Header]:
    if "*" in values and echo is not None:
        return [(name, echo)] if echo else []
    return [(name, ", ".join(values).encode())] if values else []


def _vary_by_origin(response: ResponseHead) -> None:
    for name, value in response.headers:
        if name.lower() == b"vary":
            listed = {part.strip().lower() for part in value.split(b",")}
            if b"origin" in listed or b"*" in listed:
                return
    response.headers.append((b"Vary", b"Origin"))
