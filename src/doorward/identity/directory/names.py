"""When two user names are the same name (S-522), and what a name may hold (S-113, S-114)."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> str:
    """NFKC, case folded: the form under which names are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
