"""How the objects of a dynamic configuration name one another: ``name@provider``, and what it means when it fails."""

from __future__ import annotations


class Broken(Exception):
    """An object that cannot work. Every router that needs it answers 503 with this reason in the log (S-220)."""


def qualified(name: str, provider: str) -> str:
    """``name`` as the referrer's own provider means it; a name with a provider stays as it is."""
    return name if "@" in name else f"{name}@{provider}"
