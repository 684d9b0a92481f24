"""The picture of a user: their own (``attributes.avatar``), else their initials, drawn here.

No outside service is asked: that would tell it who logs in where.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from doorward.identity.directory.models import User


def avatar_of(user: User) -> str:
    """An ``https:`` or site-relative URL, or a ``data:`` URL with an SVG of the initials."""
    own = user.attributes.get("avatar") if isinstance(user.attributes, dict) else None
    if isinstance(own, str) and (own.startswith("https://") or (own.startswith("/") and not own.startswith("//"))):
        return own
    return _drawn(_initials(user.name or user.username), user.username)


def _initials(name: str) -> str:
    words = name.split()
    letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else "") if words else "?"
    return letters.upper()


def _drawn(initials: str, seed: str) -> str:
    hue = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:2], "big") % 360
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" fill="hsl({hue},45%,35%)"/>'
        '<text x="32" y="32" dy=".35em" fill="#fff" font-family="sans-serif" font-size="28" text-anchor="middle">'
        f"{escape(initials)}</text></svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
