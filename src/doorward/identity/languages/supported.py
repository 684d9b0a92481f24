"""The languages that the pages and letters speak.

English is the language of the sources and has no message file. Every other one has a folder below ``identity/locale``,
complete: a house test counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOCALE = Path(__file__).parents[1] / "locale"
SOURCE = "en"

LANGUAGES: tuple[tuple[str, str], ...] = (
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("zh-hans", "简体中文"),
)
"""Django's code of each, and what those who speak it call it."""

TAGS = {"zh-hans": "zh-Hans"}
"""How the ``lang`` attribute spells a code, where it is not the code itself (BCP 47)."""


def tag_of(code: str) -> str:
    return TAGS.get(code, code)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language, as a page offers it."""

    code: str
    tag: str
    name: str


OFFERED = tuple(Spoken(code, tag_of(code), name) for code, name in LANGUAGES)
