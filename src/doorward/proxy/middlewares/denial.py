"""What a client is told when the auth server did not let its request pass (``contracts/proxy.md`` section 5.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from doorward.messages.http import Header, HttpAnswer

FAILED = HttpAnswer(500)
"""The auth server could not decide: closed, and nothing said about why (the log knows)."""
TOO_LARGE = HttpAnswer(401)
"""A body, the client's or the auth server's, is over its limit."""
BUSY = HttpAnswer(503)

SESSION_FIELD = b"x-doorward-session"
"""The fused outpost names the session in it; it never leaves this process."""
CONSUMED_FIELD = b"x-doorward-consumed"
"""The outpost says in it that it has made use of a field of the client's, which is then not the application's."""

_NOT_RELAYED = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"date",
        SESSION_FIELD,
        CONSUMED_FIELD,
    )
)


def denial_of(status: int) -> str:
    """What the metrics call an auth server's answer of 300 and above: sent to log in, told to log in, not allowed in,
    or something else that is no yes."""
    if status < 400:
        return "login"
    return {401: "unauthenticated", 403: "forbidden"}.get(status, "refused")


def relayed(answer: HttpAnswer, address: str, preserve_location: bool) -> HttpAnswer:
    """The auth server's refusal as the client gets it; ``address`` is what a relative ``Location`` is relative to."""
    headers: list[Header] = []
    for header in answer.headers:
        name = header[0].lower()
        if name in _NOT_RELAYED:
            continue
        if name == b"location" and not preserve_location:
            location = absolute_location(header[1], address)
            if location is None:
                return FAILED
            header = (header[0], location)
        headers.append(header)
    return HttpAnswer(answer.status, tuple(headers), answer.body)


def absolute_location(location: bytes, address: str) -> bytes | None:
    """``location`` resolved against ``address``; unchanged when absolute; None when it is no URL reference."""
    text = location.decode("latin-1")
    try:
        if urlsplit(text).scheme:
            return location
        return urljoin(address, text).encode("latin-1")
    except ValueError:
        return None


def sign_in(url: str) -> HttpAnswer:
    """``authSigninURL``: the configured place, literally, instead of a 401."""
    return HttpAnswer(302, ((b"Location", url.encode("ascii")),))
