"""Traefik's ``forwardAuth`` (and our own proxy, which asks exactly as Traefik does).

HAProxy asks here too: its ``auth-intercept`` (Lua) sends the four ``X-Forwarded-*`` fields when they are set before
it, and hands status, header fields and body of a denial to the browser.
"""

from __future__ import annotations

from doorward.outpost.dialects import x_forwarded
from doorward.outpost.dialects.dialect import Dialect

TRAEFIK = Dialect(name="Traefik", read=x_forwarded.read, relays_answers=True)
