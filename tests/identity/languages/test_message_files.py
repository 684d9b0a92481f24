"""Message files in both forms."""

from __future__ import annotations

import gettext
import os
from io import BytesIO
from pathlib import Path

from doorward.identity.languages.message_files import Message, compile_stale, compiled, read, write

HEADER = Message("", ("Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",))
MESSAGES = [
    HEADER,
    Message("Log in", ("Anmelden",), places=("a.html", "b.py")),
    Message('Say "%(name)s"\nand more \\ ', ("Sag „%(name)s“\nund mehr \\ ",)),
    Message("%(n)s day", ("%(n)s Tag", "%(n)s Tage"), plural="%(n)s days"),
    Message("Open", ("Offen",), context="state"),
    Message("Open", ("Öffnen",)),
    Message("Guessed", ("Geraten",), fuzzy=True),
    Message("Later", ("",)),
]


def test_the_text_form_loses_nothing() -> None:
    """What was written is read again, quotes, line ends and contexts included."""
    assert read(write(MESSAGES)) == MESSAGES


def test_the_binary_form_is_read_by_python() -> None:
    """With plurals and contexts; what is only guessed or not translated stays English."""
    catalogue = gettext.GNUTranslations(BytesIO(compiled(MESSAGES)))

    assert catalogue.gettext("Log in") == "Anmelden"
    assert catalogue.ngettext("%(n)s day", "%(n)s days", 2) == "%(n)s Tage"
    assert catalogue.pgettext("state", "Open") == "Offen"
    assert catalogue.gettext("Open") == "Öffnen"
    assert catalogue.gettext("Guessed") == "Guessed"
    assert catalogue.gettext("Later") == "Later"


def test_a_changed_text_is_compiled_again(tmp_path: Path) -> None:
    """Once; what is up to date is left alone."""
    text = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    text.parent.mkdir(parents=True)
    text.write_text(write(MESSAGES))

    assert compile_stale(tmp_path) == [text.with_suffix(".mo")]
    assert compile_stale(tmp_path) == []

    later = text.stat().st_mtime_ns + 1_000_000_000
    os.utime(text, ns=(later, later))
    assert compile_stale(tmp_path) == [text.with_suffix(".mo")]
