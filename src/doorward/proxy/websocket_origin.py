"""Whether a WebSocket handshake comes from a page of the application itself (S-227, RFC 6455 section 10.2).

Browsers send cookies with a handshake from any site and CORS does not apply to it, so the Origin is what tells the
application's own page from a hostile one. Every browser sends it; without it only a credential that a browser does
not attach by itself counts.
"""

from __future__ import annotations

import re

from doorward.proxy.request import Request
from doorward.wire.http1.authority import parse_authority
from doorward.wire.http1.errors import Rejected

_origin = re.compile(rb"https?://([^/?#]+)").fullmatch


def origin_is_ours(request: Request) -> bool:
    """``Origin`` names the host that was asked, or there is none and the request carries ``Authorization``."""
    origin = request.first(b"origin")
    if origin is None:
        return request.first(b"authorization") is not None
    match = _origin(origin.lower())
    if match is None:
        return False
    try:
        host, _ = parse_authority(match[1])
    except Rejected:
        return False
    return host == request.host
