"""Caddy's ``forward_auth``: the same fields as Traefik's, and the same use of our answer."""

from __future__ import annotations

from doorward.outpost.dialects import x_forwarded
from doorward.outpost.dialects.dialect import Dialect

CADDY = Dialect(name="Caddy", read=x_forwarded.read, relays_answers=True)
