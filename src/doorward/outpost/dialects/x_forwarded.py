"""``X-Forwarded-Method``, ``-Proto``, ``-Host``, ``-Uri``: what Traefik, Caddy and HAProxy say."""

from __future__ import annotations

from doorward.messages.http import HttpQuestion
from doorward.outpost.dialects.dialect import Forwarded
from doorward.outpost.fields import Fields
from doorward.outpost.paths import ascii_target, is_origin_form

SCHEMES = frozenset({"http", "https", "ws", "wss"})


def read(fields: Fields, _question: HttpQuestion) -> Forwarded | None:
    """The request that these four fields describe; the method is GET when it is not told."""
    scheme = fields.text("x-forwarded-proto").lower()
    host = fields.text("x-forwarded-host")
    target = fields.text("x-forwarded-uri")
    if scheme not in SCHEMES or not host or not is_origin_form(target):
        return None
    method = fields.text("x-forwarded-method") or "GET"
    return Forwarded(method, scheme, host, ascii_target(target, "latin-1"))
