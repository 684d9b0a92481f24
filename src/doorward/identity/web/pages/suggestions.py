"""Names that an input offers while one types."""

from __future__ import annotations

from doorward.identity.directory.models import User

MOST = 200
"""More would make the page heavy; every name can be typed in full."""


def usernames() -> list[str]:
    """Of people who can log in."""
    return list(User.objects.filter(is_active=True).values_list("username", flat=True)[:MOST])
