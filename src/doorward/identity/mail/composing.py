"""Writes a letter: in an administrator's words where there are such, else in the built-in ones.

A template of one's own that has a fault is told about, in an event, and never in the way: the built-in letter goes
in its place, because somebody waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from doorward.config import letters
from doorward.config.letter_plain import plain
from doorward.config.problems import ConfigurationError
from doorward.identity.brands.look import look_of
from doorward.identity.brands.queries import current_brand
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.languages.supported import SOURCE, tag_of
from doorward.identity.mail.facts import facts

LONGEST_SUBJECT = 200
_log = logging.getLogger("doorward.mail")
_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter, ready to be sent."""

    subject: str
    text: str
    html: str
    files: tuple[str, ...] = ()
    """Names of the files that its words are from; none where they are built in."""
    problems: tuple[str, ...] = ()
    """Why it is not in the words of its own template."""


def compose(subject: str, name: str, context: Mapping[str, object], *, otherwise: str = "") -> Composed:
    """The letter ``name`` in the active language. ``otherwise``: the built-in one that says as much as a letter that
    only files define."""
    language = get_language() or SOURCE
    brand = current_brand()
    look = look_of(brand)
    everything: dict[str, object] = {
        **context,
        "brand": brand,
        "title": brand.branding_title,
        "logo": urljoin(settings.EXTERNAL_URL, look.logo) if look.logo else "",
        "language": tag_of(language),
        "subject": one_line(subject),
    }
    problems: tuple[str, ...] = ()
    try:
        if (own := letters.find(settings.OWN_TEMPLATES, name, language)) is not None:
            return _own(own, facts(letters.kind_of(name), everything), everything)
        if name not in letters.LETTERS:
            problems = (f"{name}: there is no file of this name in {settings.OWN_TEMPLATES / letters.FOLDER}",)
    except ConfigurationError as error:
        problems = tuple(str(problem) for problem in error.problems)
    return _built_in(name if name in letters.LETTERS else otherwise, everything, problems)


def tell(problems: tuple[str, ...]) -> None:
    """Put what is wrong with a template on the record, once in the life of this process."""
    new = [problem for problem in problems if problem not in _told]
    if not new:
        return
    _told.update(new[:100])
    text = "\n".join(new)
    _log.warning("the built-in letter is sent in the place of a template with a fault: %s", text)
    events.record(
        "configuration_error",
        "authentik.stages.email",
        Actor.system(),
        message=f"The built-in letter is sent in the place of a template with a fault:\n{text}",
    )


def one_line(text: str) -> str:
    """A subject cannot become another header field (S-519)."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[
        :LONGEST_SUBJECT
    ]


def _built_in(name: str, context: dict[str, object], problems: tuple[str, ...]) -> Composed:
    return Composed(
        str(context["subject"]),
        _plain(render_to_string(f"mail/{name}.txt", context)),
        str.__str__(render_to_string(f"mail/{name}.html", context)),
        problems=problems,
    )


def _own(own: letters.Own, values: dict[str, str], context: dict[str, object]) -> Composed:
    subject = one_line(own.subject.filled(values, escaped=False)) if own.subject is not None else ""
    subject = subject or str(context["subject"])
    text = own.text.filled(values, escaped=False) if own.text is not None else ""
    if own.markup is None:
        content = _paragraphs(text, values.get("url", ""))
    else:
        content = SafeString(own.markup.filled(values, escaped=True))  # each value in it is escaped
    if own.markup is not None and own.is_document:
        page = str.__str__(content)
    else:
        page = str.__str__(render_to_string("mail/own.html", {**context, "subject": subject, "content": content}))
    return Composed(subject, _plain(text or plain(content)), page, own.files)


def _plain(text: str) -> str:
    return str.__str__(text).strip() + "\n"


def _paragraphs(text: str, url: str) -> SafeString:
    """Plain text as HTML: its paragraphs, its lines, and its one link."""
    markup: str = escape(text.strip())
    if url:
        markup = markup.replace(escape(url), f'<a href="{escape(url)}">{escape(url)}</a>')
    blocks = [block.strip().replace("\n", "<br>\n") for block in markup.split("\n\n")]
    return SafeString("\n".join(f"<p>{block}</p>" for block in blocks if block))  # escaped above
