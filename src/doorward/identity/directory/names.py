"""When two user names are the same name (S-522), and what a name may hold (S-113, S-114, S-607, S-808)."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST_USERNAME = 150
LONGEST_NAME = 500
_RESERVED = ("akadmin", "goauthentik.io/token")
_RESERVED_PREFIX = "ak-outpost-"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Controls, format characters (zero width, bidirectional), surrogates, private use, line separators."""


def folded(name: str) -> str:
    """NFKC, case folded: the form under which names are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_reserved(username: str) -> bool:
    """Whether the program itself makes users of this name, and nobody else may."""
    name = folded(username)
    return name in _RESERVED or name.startswith(_RESERVED_PREFIX)


def require_username(username: str) -> None:
    """Raise ValidationError for a name that looks like another or cannot stand in a header."""
    if not username or username != username.strip():
        raise ValidationError({"username": [_("A username is not empty and has no space at its ends.")]})
    if len(username) > LONGEST_USERNAME or len(folded(username)) > LONGEST_USERNAME:
        raise ValidationError(
            {"username": [_("A username has at most %(longest)s characters.") % {"longest": LONGEST_USERNAME}]}
        )
    require_plain(username, "username")


def require_plain(text: str, field: str, longest: int = LONGEST_NAME) -> None:
    """Raise ValidationError for one-line text with invisible characters, or longer than ``longest``."""
    if len(text) > longest:
        raise ValidationError({field: [_("At most %(longest)s characters.") % {"longest": longest}]})
    for character in text:
        if unicodedata.category(character) in _INVISIBLE:
            raise ValidationError(
                {field: [_("The character U+%(number)s is not allowed here.") % {"number": f"{ord(character):04X}"}]}
            )


def require_storable(value: object, field: str, depth: int = 0) -> None:
    """Raise ValidationError for JSON that no database takes: NUL, lone surrogates, huge numbers, deep nesting."""
    if depth > 64:
        raise ValidationError({field: [_("Nested too deeply.")]})
    if isinstance(value, str):
        if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise ValidationError({field: [_("Text with a NUL or a lone surrogate cannot be stored.")]})
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValidationError({field: [_("Numbers have at most 64 bits.")]})
    elif isinstance(value, dict):
        for name, member in value.items():
            require_storable(name, field, depth + 1)
            require_storable(member, field, depth + 1)
    elif isinstance(value, list):
        for member in value:
            require_storable(member, field, depth + 1)
