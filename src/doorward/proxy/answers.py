"""Answers that the proxy gives by itself when there is nothing to pass on (``contracts/proxy.md`` section 9).

Programs get the exact short texts that tools and health checks look for; a browser (``Accept: text/html``) gets the
same status with a page that a person can read. Neither says anything about servers, addresses or configuration.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import formatdate
from html import escape
from http import HTTPStatus

from doorward.messages.http import Header, HttpAnswer

_TEXT: tuple[Header, ...] = (
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"X-Content-Type-Options", b"nosniff"),
)
_PAGE: tuple[Header, ...] = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Cache-Control", b"no-store"),
    (b"Content-Security-Policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a request ends here."""

    status: int
    text: bytes
    """The whole body for programs."""
    explanation: str
    """For people: what happened and what they can do."""
    typed: bool = True
    """Whether the text has a Content-Type (the original sends some without)."""


NO_ROUTE = Failure(
    404, b"404 page not found\n", "There is no application at this address. Check the address for typing errors."
)
NO_SERVER = Failure(
    503, b"no available server\n", "The application is not running at the moment. Try again in a minute."
)
NOBODY_UP = Failure(
    503, b"Service Unavailable\n", "The application is not running at the moment. Try again in a minute."
)
BROKEN_ROUTE = Failure(
    503,
    b"Service Unavailable\n",
    "This application is not set up correctly, so it stays closed. Its administrator finds the reason in the log.",
)
BAD_GATEWAY = Failure(
    502, b"Bad Gateway", "The application did not answer properly. Try again in a minute.", typed=False
)
GATEWAY_TIMEOUT = Failure(
    504, b"Gateway Timeout", "The application took too long to answer. Try again in a minute.", typed=False
)
SERVER_ERROR = Failure(
    500,
    b"Internal Server Error",
    "The request could not be passed on. The administrator finds the reason in the log.",
    typed=False,
)
CRASHED = Failure(
    500,
    b"Internal Server Error\n",
    "Something went wrong here, not on your side. The administrator finds the reason in the log.",
)
FORBIDDEN_ORIGIN = Failure(403, b"Forbidden\n", "Another web site tried to open this connection with your login.")
SESSION_OVER = Failure(
    401,
    b"Unauthorized: what let this request in has ended\n",
    "Your login ended while this page was on its way. Load it again to log in.",
)
MISDIRECTED = Failure(
    421,
    b"Misdirected Request\n",
    "This address needs a connection of its own. Load the page again; if that does not help, close the browser and "
    "open it again.",
)
BODY_TOO_LARGE = Failure(413, b"Request Entity Too Large\n", "What was sent is too large.")
BODY_TOO_SLOW = Failure(408, b"Request Timeout\n", "What was sent did not arrive in time.")


def failure_answer(failure: Failure, accept: bytes, request_id: bytes) -> HttpAnswer:
    """The answer for ``failure`` to a client with this ``Accept`` field; a page names the request."""
    if b"text/html" in accept.lower():
        return HttpAnswer(failure.status, _PAGE, _page(failure.status, failure.explanation, request_id))
    return HttpAnswer(failure.status, _TEXT if failure.typed else (), failure.text)


_WHY = {
    "host_missing": "missing required Host header",
    "header_name": "invalid header name",
    "header_value": "invalid header value",
    "host_syntax": "malformed Host header",
    "host_dup": "too many Host headers",
}


def rejection_answer(status: int, reason: str) -> HttpAnswer:
    """For a request that is no request: nothing of it is repeated in the answer."""
    text = f"{status} {HTTPStatus(status).phrase}"
    if reason in _WHY:
        text += f": {_WHY[reason]}"
    return HttpAnswer(status, (_TEXT[0],), text.encode("ascii"))


_reasons = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


def reason_phrase(status: int) -> bytes:
    return _reasons.get(status, b"")


_date = (0, b"")


def http_date() -> bytes:
    """Now, for the ``Date`` field; made once a second."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, formatdate(now, usegmt=True).encode("ascii"))
    return _date[1]


def _page(status: int, explanation: str, request_id: bytes) -> bytes:
    title = f"{status} {HTTPStatus(status).phrase}"
    name = escape(request_id.decode("ascii"))
    return _TEMPLATE.format(title=escape(title), explanation=escape(explanation), request=name).encode("utf-8")


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
small {{ opacity: .75; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{explanation}</p>
<p><small>Request {request}</small></p>
</main>
</body>
</html>
"""
