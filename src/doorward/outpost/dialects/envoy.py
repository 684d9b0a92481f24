"""Envoy's ``ext_authz`` over HTTP (Istio's ``envoyExtAuthzHttp``): the browser's request itself, under our path.

Envoy sends the method, the ``Host`` and, behind ``path_prefix``, the path and query of the browser's request. Only the
scheme has to be told beside that, in ``X-Forwarded-Proto``; https is assumed when it is not. A denial goes to the
browser as it is, with its ``Location`` and ``Set-Cookie``.
"""

from __future__ import annotations

from doorward.messages.http import HttpQuestion
from doorward.outpost.dialects.dialect import Dialect, Forwarded
from doorward.outpost.dialects.x_forwarded import SCHEMES
from doorward.outpost.fields import Fields
from doorward.outpost.paths import PREFIX, ascii_target, is_origin_form

ENDPOINT = f"{PREFIX}/auth/envoy".encode()
BELOW = ENDPOINT + b"/"


def read(fields: Fields, question: HttpQuestion) -> Forwarded | None:
    """The request that stands behind our own path."""
    target = question.target[len(ENDPOINT) :].decode("latin-1")
    if not target.startswith("/"):
        target = f"/{target}"
    host = fields.text("host")
    scheme = fields.text("x-forwarded-proto").lower() or "https"
    if not host or scheme not in SCHEMES or not is_origin_form(target) or "x-forwarded-proto" in fields.doubled:
        return None
    return Forwarded(question.method.decode("latin-1"), scheme, host, ascii_target(target, "latin-1"))


ENVOY = Dialect(name="Envoy", read=read, relays_answers=True, unreadable=(400, "invalid envoy request"))
