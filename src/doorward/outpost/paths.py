"""Paths and URLs of the protected application, as browsers asked for them.

*May a browser be sent there?* is asked for the remembered URL and ``rd``: answered with a target on the application's
own origin or not at all (S-307, S-309).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from doorward.outpost.hosts import DEFAULT_PORTS, parse_authority

if TYPE_CHECKING:
    from doorward.outpost.application import Application

PREFIX = "/outpost.goauthentik.io"
CALLBACK_SIGNATURE = "X-authentik-auth-callback"
LOGOUT_SIGNATURE = "X-authentik-logout"

_ORIGIN_FORM = re.compile(r"/[^\x00-\x20\x7f#]*")
_UNSAFE_IN_RD = re.compile(r"[\x00-\x20\x7f\\]")


def split_target(target: str) -> tuple[str, str | None]:
    """Path and query of an origin-form target."""
    path, mark, query = target.partition("?")
    return path, query if mark else None


def is_under_prefix(path: str) -> bool:
    """Whether ``path`` is ours on the application's host; the prefix ends at a slash (S-236)."""
    return path.startswith(PREFIX) and (len(path) == len(PREFIX) or path[len(PREFIX)] == "/")


def is_origin_form(target: str) -> bool:
    """Whether ``target`` is a path with an optional query, without white space, controls or fragment."""
    return _ORIGIN_FORM.fullmatch(target) is not None


def has_signature(query: str | None, signature: str) -> bool:
    """Whether the query marks the request as ours, whatever its path (``contracts/outpost.md`` section 3.5)."""
    if query is None or signature not in query:
        return False
    return any(
        name == signature and value.lower() == "true"
        for name, _, value in (pair.partition("=") for pair in query.split("&"))
    )


def own_target(application: Application, rd: str, at: str = "") -> str:
    """Where ``rd`` leads: path and query on the application's origin, a whole URL on another host of its domain, or
    nothing when it must not be followed. ``at``: the origin on which a bare path is meant; the application's own by
    default.
    """
    if not rd or _UNSAFE_IN_RD.search(rd) or rd.startswith("//"):
        return ""
    origin, target = (at or application.origin, rd) if rd.startswith("/") else _split_url(application, rd)
    path, query = split_target(target.partition("#")[0])
    if not path.startswith("/") or path.startswith("//") or _is_ours(path):
        return ""
    if has_signature(query, LOGOUT_SIGNATURE) or has_signature(query, CALLBACK_SIGNATURE):
        return ""  # logging out by a link that looks like logging in (S-309)
    target = ascii_target(path if query is None else f"{path}?{query}")
    return target if origin == application.origin else origin + target


def ascii_target(target: str, encoding: str = "utf-8") -> str:
    """``target`` with everything outside ASCII percent-encoded, fit for a ``Location``.

    ``encoding`` turns the characters back into the bytes that were asked for: ``latin-1`` for text taken from a
    header field, one character a byte.
    """
    if target.isascii():
        return target
    escaped = [c if c.isascii() else "".join(f"%{b:02X}" for b in c.encode(encoding, "replace")) for c in target]
    return "".join(escaped)


def _split_url(application: Application, url: str) -> tuple[str, str]:
    """Origin and target of a URL at which the application's users may end up; empty for others."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    place = parse_authority(parts.netloc)
    if parts.scheme not in DEFAULT_PORTS or place is None or not application.covers(place, parts.scheme):
        return "", ""
    path = parts.path or "/"
    return application.origin_at(place, parts.scheme), f"{path}?{parts.query}" if parts.query else path


def _is_ours(path: str) -> bool:
    """Whether any reader could take ``path`` for one of our own endpoints."""
    decoded = unquote_to_bytes(path.encode("utf-8", "replace")).decode("utf-8", "replace").lower()
    return PREFIX in re.sub(r"/(?:\.?/)+", "/", decoded.replace("\\", "/"))
