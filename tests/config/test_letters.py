"""Files of letters: which one counts, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.config import letters
from doorward.config.problems import ConfigurationError

LANGUAGES = ("en", "de", "zh-hans")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "email").mkdir()
    return tmp_path


def put(folder: Path, name: str, content: str) -> None:
    (folder / "email" / name).write_text(content)


def faults(folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/email/") for problem in letters.problems(folder, LANGUAGES)]


def test_the_files_of_a_language_go_before_those_for_all(folder: Path) -> None:
    """Whole sets: a German HTML is not sent beside an English text."""
    put(folder, "password_reset.txt", "{{ url }}")
    put(folder, "password_reset.de.html", "<a href='{{ url }}'>los</a>")

    german = letters.find(folder, "password_reset", "de")
    other = letters.find(folder, "password_reset", "en")
    assert german is not None
    assert (german.files, german.text) == (("password_reset.de.html",), None)
    assert other is not None
    assert (other.files, other.markup) == (("password_reset.txt",), None)
    assert letters.find(folder, "invitation", "de") is None
    assert faults(folder) == []


@pytest.mark.parametrize("name", ["../password_reset", "a/b", "", ".", "x" * 49, "Ä"])
def test_names_do_not_leave_the_folder(folder: Path, name: str) -> None:
    """Whatever a stage names."""
    (folder / "password_reset.txt").write_text("{{ url }}")

    assert letters.find(folder, name, "de") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("password_reset.html", "<p>Ask the help desk.</p>"),
        ("password_reset.html", "<!-- <b> {{ url }} -->"),
        ("password_reset.html", "<html><head>{{ url }}</head></html>"),
        ("password_reset.txt", "{% if minutes %}{{ url }}{% endif %}"),
        ("email_otp.txt", "{{ minutes }}"),
        ("notice.html", "<p>Something happened.</p>"),
    ],
)
def test_a_letter_without_its_link_or_code_is_refused(folder: Path, name: str, content: str) -> None:
    """Or with one that is hidden, or not always there."""
    put(folder, name, content)

    (fault,) = faults(folder)
    assert "is missing" in fault
    with pytest.raises(ConfigurationError):
        letters.find(folder, name.partition(".")[0], "de")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("password_reset.txt", "Subject: Go to {{ url }}\n\n{{ url }}"),
        ("email_otp.html", "<title>{{ code }} is your code</title><p>{{ code }}</p>"),
    ],
)
def test_a_subject_tells_no_secret(folder: Path, name: str, content: str) -> None:
    """Subjects are kept with the event."""
    put(folder, name, content)

    (fault,) = faults(folder)
    assert fault.startswith(f"{name}:1: the subject is kept")


def test_what_cannot_be_a_letter_is_said(folder: Path) -> None:
    """A language that nobody speaks, another alphabet, something that is no text, too much of it."""
    put(folder, "notice.dee.txt", "{{ what }}")
    put(folder, "Notice.txt", "{{ what }}")
    (folder / "email" / "invitation.txt").write_bytes(b"{{ url }}\n\xff")
    put(folder, "access_request.txt", "{{ url }}" + "x" * letters.LARGEST)
    put(folder, "README", "what lies here")

    assert faults(folder) == [
        "Notice.txt: a letter is called by small letters, digits, _ and -",
        "notice.dee.txt: letters speak no language 'dee'; did you mean 'de'?",
        f"access_request.txt: is larger than {letters.LARGEST:,} bytes",
        "invitation.txt:2: is no UTF-8 text",
    ]


def test_line_numbers_count_from_the_top_of_the_file(folder: Path) -> None:
    """Also below a subject."""
    put(folder, "notice.txt", "Subject: News\n\n{{ what }}\n{{ who }}")
    put(folder, "invitation.html", "<title>\nNews</title>\n{{ name }} {{ url }}")

    assert [fault.split(": there")[0] for fault in faults(folder)] == ["invitation.html:3", "notice.txt:4"]


def test_letters_that_only_files_define(folder: Path) -> None:
    """They are for e-mail stages, and need the link."""
    put(folder, "welcome.html", "<a href='{{ url }}'>hi</a>")
    put(folder, "welcome.de.txt", "Hallo")
    put(folder, "notice.txt", "{{ what }}")

    assert letters.own_names(folder) == ["welcome"]
    (fault,) = faults(folder)
    assert fault.startswith("welcome.de.txt:1: {{ url }} is missing")
