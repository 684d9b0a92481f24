"""Traefik's ``forwardAuth`` (and our own proxy, which asks exactly as Traefik does)."""

from __future__ import annotations

from doorward.outpost.dialects import x_forwarded
from doorward.outpost.dialects.dialect import Dialect

TRAEFIK = Dialect(name="Traefik", read=x_forwarded.read, relays_answers=True)
