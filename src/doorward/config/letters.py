"""Letters in words of one's own: which there are, what their templates may show, and the files that they stand in.

Below the folder of templates, ``email/<letter>[.<language>].html`` and ``.txt``; a language's own files go before those
for all. A file's subject is the ``<title>`` of the HTML, or a first line ``Subject: …`` of the text. Of two files the
one that is missing is made from the other. A letter without its link, or its code, is refused: somebody waits for it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from doorward.config.letter_plain import plain
from doorward.config.letter_text import Template, Wrong, read
from doorward.config.problems import ConfigurationError, Problem, nearest

FOLDER = "email"
"""Below the folder of templates, as its clients name them: ``email/password_reset.html``."""
LARGEST = 256 * 1024
"""Bytes of one file."""

COMMON = ("title", "logo", "site", "language")
PERSON = ("name", "username", "email")


@dataclass(frozen=True, slots=True)
class Letter:
    """One of the letters that the program writes."""

    name: str
    variables: tuple[str, ...]
    needs: str
    """The variable without which it is of no use."""


def _letter(name: str, *variables: str, needs: str, person: bool = True) -> Letter:
    return Letter(name, (*COMMON, *(PERSON if person else ()), *variables), needs)


LETTERS = {
    letter.name: letter
    for letter in (
        _letter("password_reset", "url", "minutes", needs="url"),
        _letter("account_confirmation", "url", "minutes", needs="url"),
        _letter("email_otp", "code", "minutes", needs="code"),
        _letter("invitation", "url", "expires", needs="url", person=False),
        _letter("notice", "what", needs="what"),
        _letter("event_notification", "severity", "what", "created", "url", needs="what"),
        _letter("access_request", "who", "application", "until", "reason", "url", needs="url"),
        _letter("access_decision", "application", "until", "approved", "denied", "ended", "answer", "url", needs="url"),
    )
}
OF_STAGES = ("password_reset", "account_confirmation")
"""Those that an e-mail stage sends; it can send letters of other names too, which only their files define."""

_NAME = re.compile(r"[a-z0-9_-]{1,48}")
_STEM = re.compile(r"([a-z0-9_-]{1,48})(?:\.([A-Za-z-]{2,12}))?")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_SUBJECT = re.compile(r"\A\s*Subject:[^\S\n]*(.*)(?:\n+|\Z)", re.IGNORECASE)
_DOCUMENT = re.compile(r"<html[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Own:
    """A letter's own template; at least one of text and HTML is there."""

    files: tuple[str, ...]
    subject: Template | None
    text: Template | None
    markup: Template | None
    is_document: bool
    """The HTML is a whole page, and not what goes into the usual frame."""


def kind_of(name: str) -> Letter:
    """What the letter of this name may show; those that only files define are sent by e-mail stages."""
    known = LETTERS.get(name)
    return known or Letter(name, LETTERS[OF_STAGES[0]].variables, "url")


def find(folder: Path, name: str, language: str) -> Own | None:
    """The own template of a letter in this language; None where there is none. Raises ConfigurationError."""
    if not is_name(name):
        return None
    for stem in (f"{name}.{language}", name):
        files = [path for path in (folder / FOLDER / f"{stem}.txt", folder / FOLDER / f"{stem}.html") if path.is_file()]
        if files:
            problems: list[Problem] = []
            own = _read(files, kind_of(name), problems)
            if problems:
                raise ConfigurationError(problems)
            return own
    return None


def own_names(folder: Path) -> list[str]:
    """The letters that only files define."""
    found = (_STEM.fullmatch(path.stem) for path in _files(folder))
    return sorted({match[1] for match in found if match is not None and match[1] not in LETTERS})


def problems(folder: Path, languages: Collection[str]) -> list[Problem]:
    """Everything that is wrong with the templates in this folder."""
    found: list[Problem] = []
    sets: dict[str, list[Path]] = {}
    for path in _files(folder):
        match = _STEM.fullmatch(path.stem)
        if match is None:
            found.append(Problem("a letter is called by small letters, digits, _ and -", str(path)))
        elif match[2] and match[2] not in languages:
            hint = nearest(match[2], languages)
            found.append(Problem(f"letters speak no language {match[2]!r}; {hint or ', '.join(languages)}", str(path)))
        else:
            sets.setdefault(path.stem, []).append(path)
    for stem, files in sorted(sets.items()):
        _read(files, kind_of(stem.partition(".")[0]), found)
    return found


def is_name(text: str) -> bool:
    """Whether a letter can be called so."""
    return _NAME.fullmatch(text) is not None


def _files(folder: Path) -> list[Path]:
    try:
        entries = sorted((folder / FOLDER).iterdir())
    except OSError:
        return []
    return [path for path in entries if path.suffix in (".txt", ".html") and path.is_file()]


def _read(files: list[Path], letter: Letter, problems: list[Problem]) -> Own:
    text = markup = subject = None
    is_document = False
    for path in sorted(files, reverse=True):  # the text's subject goes first
        try:
            content = _content(path)
            if path.suffix == ".txt":
                parts = _text(content, letter)
                text = parts.body
            else:
                parts = _markup(content, letter)
                markup, is_document = parts.body, _DOCUMENT.search(content) is not None
        except Wrong as wrong:
            problems.append(Problem(wrong.message, str(path), wrong.line))
            continue
        wrongs = parts.wrong or list(_incomplete(letter, parts, path.suffix == ".html"))
        problems += [Problem(wrong.message, str(path), wrong.line) for wrong in wrongs]
        subject = subject or parts.subject
    return Own(tuple(path.name for path in files), subject, text, markup, is_document)


def _content(path: Path) -> str:
    """Raises Wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Wrong(f"is larger than {LARGEST:,} bytes", 0)
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}", 0) from error
    except UnicodeDecodeError as error:
        raise Wrong("is no UTF-8 text", content.count(b"\n", 0, error.start) + 1) from error


@dataclass(frozen=True, slots=True)
class _Parts:
    body: Template
    subject: Template | None
    subject_line: int
    wrong: list[Wrong]


def _text(content: str, letter: Letter) -> _Parts:
    found = _SUBJECT.match(content)
    body = content[found.end() :] if found else content
    line = content.count("\n", 0, found.end()) + 1 if found else 1
    template, wrong = read(body, letter.variables, markup=False, first_line=line)
    return _with_subject(template, wrong, found[1] if found else "", 1, letter)


def _markup(content: str, letter: Letter) -> _Parts:
    found = _TITLE.search(content)
    body, line, subject = content, 1, ""
    if found:
        line = content.count("\n", 0, found.start()) + 1
        subject = html.unescape(found[1])
        if _DOCUMENT.search(content) is None:  # the frame has a title of its own
            body = content[: found.start()] + "\n" * found[0].count("\n") + content[found.end() :]
    template, wrong = read(body, letter.variables, markup=True)
    return _with_subject(template, wrong, subject, line, letter)


def _with_subject(body: Template, wrong: list[Wrong], subject: str, line: int, letter: Letter) -> _Parts:
    if not subject.strip():
        return _Parts(body, None, line, wrong)
    template, more = read(" ".join(subject.split()), letter.variables, markup=False, first_line=line)
    return _Parts(body, template, line, wrong + [each for each in more if str(each) not in map(str, wrong)])


def _incomplete(letter: Letter, parts: _Parts, is_markup: bool) -> Iterator[Wrong]:
    """What makes a letter useless, or tells its secret where it must not."""
    if parts.subject is not None and {"url", "code"} & parts.subject.used:
        yield Wrong("the subject is kept in the events: it cannot hold the link or the code", parts.subject_line)
    sample = {name: f"https://sample.invalid/{name}" for name in letter.variables}
    shown = parts.body.filled(sample, escaped=is_markup)
    read_as = plain(shown) if is_markup else shown
    if letter.needs not in parts.body.always or sample[letter.needs] not in read_as:
        yield Wrong(
            f"{{{{ {letter.needs} }}}} is missing, or hidden, or stands under a condition: whoever gets the letter "
            "could do nothing with it",
            1,
        )
