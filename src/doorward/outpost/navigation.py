"""Is a person looking at this request, or a script, an image, a WebSocket?

Only a navigation can follow a redirect to a login page and come back. Browsers say what they do in ``Sec-Fetch-*``
(W3C Fetch Metadata); others are recognised by what they ask for.
"""

from __future__ import annotations

from doorward.outpost.fields import Fields


def is_navigation(fields: Fields, scheme: str) -> bool:
    """Whether the answer will be shown as a page, as far as one can tell (plain ``curl`` counts)."""
    if scheme in ("ws", "wss") or fields.raw("upgrade"):
        return False
    mode = fields.raw("sec-fetch-mode")
    if mode:
        return mode == b"navigate"
    if fields.raw("x-requested-with").lower() == b"xmlhttprequest":
        return False
    accept = fields.raw("accept").lower()
    return not (b"application/json" in accept and b"text/html" not in accept and b"*/*" not in accept)


def is_wanted_by_the_user(fields: Fields) -> bool:
    """Whether this is a top-level navigation or comes from the application's own pages.

    A picture on somebody else's page must not be able to log anybody out (S-324). Without ``Sec-Fetch-Site`` (an
    old browser, ``curl``) nothing speaks against it.
    """
    if fields.raw("sec-fetch-site") in (b"", b"same-origin", b"none"):
        return True
    return fields.raw("sec-fetch-mode") == b"navigate" and fields.raw("sec-fetch-dest") == b"document"
