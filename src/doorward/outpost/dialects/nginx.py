"""nginx' ``auth_request``, with the whole URL in ``X-Original-URL``.

No other field is read: ``X-Original-URI`` is a client's to send (GHSA-5wcc-hf24-rf5h). nginx looks at our status
only, and turns a 401 into a redirect to ``/outpost.goauthentik.io/start?rd=…`` by itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from doorward.messages.http import HttpQuestion
from doorward.outpost.dialects.dialect import Dialect, Forwarded
from doorward.outpost.dialects.x_forwarded import SCHEMES
from doorward.outpost.fields import Fields
from doorward.outpost.paths import ascii_target, is_origin_form


def read(fields: Fields, _question: HttpQuestion) -> Forwarded | None:
    """The request that ``X-Original-URL`` names. The method is not told."""
    scheme, separator, rest = fields.text("x-original-url").partition("://")
    try:
        host = urlsplit(f"//{rest}").netloc
    except ValueError:
        return None
    target = rest[len(host) :] or "/"
    if target.startswith("?"):
        target = f"/{target}"
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES or not host or not is_origin_form(target):
        return None
    return Forwarded("GET", scheme, host, ascii_target(target, "latin-1"))


NGINX = Dialect(name="nginx", read=read, relays_answers=False)
