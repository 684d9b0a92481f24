"""nginx' ``auth_request``, with the whole URL in ``X-Original-URL``.

No other field is read: ``X-Original-URI`` is a client's to send (GHSA-5wcc-hf24-rf5h). nginx looks at our status
only, and turns a 401 into a redirect to ``/outpost.goauthentik.io/start?rd=…`` by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.messages.http import HttpQuestion
from doorward.outpost.dialects.dialect import Dialect, Forwarded
from doorward.outpost.dialects.x_forwarded import SCHEMES
from doorward.outpost.fields import Fields
from doorward.outpost.hosts import parse_authority
from doorward.outpost.paths import ascii_target, is_origin_form

if TYPE_CHECKING:
    from doorward.outpost.applications import Applications
    from doorward.outpost.visit import Visit


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


def names_two_hosts(visit: Visit, applications: Applications) -> bool:
    """Whether nginx chose the server block of another host of ours than its ``$http_host`` names.

    With an absolute request target nginx goes by that and still hands the client's ``Host`` to us, so a
    client could be judged for one application and served by another.
    """
    host = visit.fields.text("host")
    chosen, asked = parse_authority(host), parse_authority(visit.host)
    if chosen is None or asked is None or chosen.name == asked.name:
        return False
    return applications.knows(host, visit.application.scheme)
