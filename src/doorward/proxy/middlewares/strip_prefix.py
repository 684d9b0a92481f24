"""``stripPrefix``: take the first matching prefix off the path and say so in ``X-Forwarded-Prefix``.

A prefix ends where a segment ends: ``/api`` is in ``/api`` and ``/api/x`` and not in ``/apix``. What is left must be
a canonical path, or the application could be led around the path that was judged: ``/api../x`` is refused (S-214).
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.messages.routing import StripPrefix
from doorward.proxy.request import Request, ResponseHead
from doorward.wire.path import BadPath, canonical_path

_NOT_CANONICAL = HttpAnswer(400, ((b"Content-Type", b"text/plain; charset=utf-8"),), b"Bad Request")


class StripPrefixMiddleware:
    """Runs one ``stripPrefix``."""

    def __init__(self, middleware: StripPrefix) -> None:
        """Raises ValueError for a prefix that no canonical path can start with."""
        self._prefixes = [(text.encode(), _as_in_paths(text)) for text in middleware.prefixes]

    def enter(self, request: Request) -> HttpAnswer | None:
        path = request.path
        for written, prefix in self._prefixes:
            if not path.startswith(prefix):
                continue
            rest = path[len(prefix) :]
            if rest and not rest.startswith(b"/"):
                rest = b"/" + rest
                if canonical_path(rest) != rest:
                    return _NOT_CANONICAL
                if not prefix.endswith(b"/"):
                    continue
            request.path = rest or b"/"
            request.headers = [*request.headers, (b"X-Forwarded-Prefix", written)]
            return None
        return None

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass


def _as_in_paths(text: str) -> bytes:
    """A prefix as an operator writes it, in the spelling of canonical paths."""
    raw = text.encode()
    if not raw.startswith(b"/"):
        raise ValueError(f"the prefix {text!r} does not start with /")
    escaped = b"".join(b"%%%02X" % byte if byte <= 0x20 or byte == 0x7F else bytes((byte,)) for byte in raw)
    try:
        prefix = canonical_path(escaped)
    except BadPath as error:
        raise ValueError(f"the prefix {text!r} is no path") from error
    return prefix
