"""Every text that is marked is translated, and the pages of everybody have no text that is not marked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import messages
from doorward.identity.languages.message_files import Message, read
from doorward.identity.languages.supported import LANGUAGES
from unmarked import unmarked

CODES = [code for code, _ in LANGUAGES if code != "en"]
STRICT = (
    "web/templates/*.html",
    "web/templates/flows/*.html",
    "web/templates/library/*.html",
    "web/templates/admin/page.html",
    "web/templates/admin/parts/expiry.html",
    "web/templates/admin/parts/field.html",
    "web/templates/admin/parts/key.html",
    "web/templates/admin/parts/logins.html",
    "web/templates/admin/parts/pages.html",
    "web/templates/admin/parts/problems.html",
    "web/templates/admin/parts/search.html",
    "web/templates/admin/parts/sessions.html",
    "oauth2/templates/oauth2/*.html",
    "mail/templates/mail/*",
)
"""Templates that everybody meets, below ``identity/``: they have no unmarked text."""
ROOMS = ("flows/", "stages/", "mail/", "oauth2/", "policies/", "directory/", "authenticators/", "web/errors.py")
"""Where Python speaks to everybody."""

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_TAG = re.compile(r"</?[a-z]+[^>]*>")


def messages_of(code: str) -> list[Message]:
    return read(messages.path_of(code).read_text(encoding="utf-8"))[1:]


@pytest.mark.parametrize("code", CODES)
def test_every_marked_text_is_translated(code: str) -> None:
    """Wherever it stands for everybody; ``make words`` was run, and nobody has to guess at what it added."""
    strict = {path.relative_to(messages.IDENTITY).as_posix() for path in strict_templates()}
    marked = {
        (text.context, text.source)
        for text, places in messages.collect().items()
        if any(place in strict or place.startswith(ROOMS) for place in places)
    }
    translated = {message.key for message in messages_of(code) if all(message.translations) and not message.fuzzy}

    assert sorted(source for _, source in marked - translated) == []


@pytest.mark.parametrize("code", CODES)
def test_translations_fill_in_the_same_things(code: str) -> None:
    """No name is lost on the way into another language, and no tag is left open."""
    for message in messages_of(code):
        for text in filter(None, message.translations):
            source = message.plural if message.plural and text != message.translations[0] else message.source
            assert set(_PLACEHOLDER.findall(text)) <= set(_PLACEHOLDER.findall(message.source + message.plural)), text
            if not message.plural:
                assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(source)), text
            assert sorted(_TAG.findall(text)) == sorted(_TAG.findall(source)), text


def strict_templates() -> list[Path]:
    return sorted(path for pattern in STRICT for path in messages.IDENTITY.glob(pattern))


def marked_templates() -> list[Path]:
    """Those of administrators too: their texts are marked, whether or not each is translated already."""
    return sorted({*strict_templates(), *messages.IDENTITY.glob("web/templates/admin/**/*.html")})


@pytest.mark.parametrize("path", marked_templates(), ids=lambda path: path.name)
def test_pages_have_no_unmarked_text(path: Path) -> None:
    """Whoever reads no English can read all of it."""
    assert unmarked(path.read_text()) == []
