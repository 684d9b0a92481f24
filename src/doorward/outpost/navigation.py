"""Is a person looking at this request, or a script, an image, a WebSocket?

Only a navigation can follow a redirect to a login page and come back. Browsers say what they do in ``Sec-Fetch-*``
(W3C Fetch Metadata); others are recognised by what they ask for.
"""

from __future__ import annotations

import re

from doorward.outpost.fields import Fields

_PAGES = frozenset({b"text/html", b"application/xhtml+xml", b"text/*"})
_METHOD = re.compile(rb"[A-Za-z-]{1,32}")


def is_navigation(fields: Fields, scheme: str) -> bool:
    """Whether the answer will be shown as a page, as far as one can tell (plain ``curl`` counts)."""
    if scheme in ("ws", "wss") or fields.raw("upgrade"):
        return False
    mode = fields.raw("sec-fetch-mode")
    if mode:
        return mode == b"navigate"
    if fields.raw("x-requested-with").lower() == b"xmlhttprequest":
        return False
    if fields.raw("content-type").lower().startswith(b"application/grpc"):
        return False
    return _may_be_a_page(fields.raw("accept").lower())


def _may_be_a_page(accept: bytes) -> bool:
    """Whether ``Accept`` asks for a page, or for nothing in particular as ``curl`` does. Who names only
    other things (JSON, an event stream, a picture) is a program or a part of a page, also where it would take anything
    in the end (``application/json, text/plain, */*``)."""
    if not accept:
        return True
    kinds = {entry.partition(b";")[0].strip() for entry in accept.split(b",")}
    return bool(kinds & _PAGES) or kinds == {b"*/*"}


def is_preflight(fields: Fields, method: str) -> bool:
    """Whether a browser asks what another origin's page may send (W3C Fetch section 4.8): OPTIONS with ``Origin`` and
    the method in question, and never with credentials or a body (S-224)."""
    return (
        method == "OPTIONS"
        and bool(fields.raw("origin"))
        and _METHOD.fullmatch(fields.raw("access-control-request-method")) is not None
        and not fields.present("authorization")
        and fields.raw("content-length") in (b"", b"0")
        and not fields.present("transfer-encoding")
    )


def is_wanted_by_the_user(fields: Fields) -> bool:
    """Whether this is a top-level navigation or comes from the application's own pages.

    A picture on somebody else's page must not be able to log anybody out (S-324). Without ``Sec-Fetch-Site`` (an
    old browser, ``curl``) nothing speaks against it.
    """
    if fields.raw("sec-fetch-site") in (b"", b"same-origin", b"none"):
        return True
    return fields.raw("sec-fetch-mode") == b"navigate" and fields.raw("sec-fetch-dest") == b"document"
