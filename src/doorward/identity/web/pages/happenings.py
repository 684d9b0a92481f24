"""Events as lines of a page: the sentence, whoever did it in bold, an icon, a colour."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from doorward.identity.directory.models import User
from doorward.identity.events import sentences
from doorward.identity.events.models import Event

_WHO = "\ue000"
"""Stands where the name will be: nobody's name has a character of the private use area, and if so, it is only text."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as a line."""

    event: Event
    who: str
    subject: str
    text: str
    """The sentence."""
    line: SafeString
    """The same as HTML."""
    icon: str
    kind: str


def told(event: Event) -> Happening:
    """``event`` in words."""
    icon, kind = sentences.look(event.action)
    who, subject = sentences.who(event), sentences.subject(event)
    text = sentences.fill(event.action, who, subject)
    pattern = sentences.fill(event.action, _WHO, subject.replace(_WHO, ""))
    bold = format_html("<strong>{}</strong>", who)
    line = mark_safe(conditional_escape(pattern).replace(_WHO, bold))  # noqa: S308 - both parts are escaped
    return Happening(event, who, subject, text, line, icon, kind)


def about_user(user: User, most: int = 10) -> list[Happening]:
    """The newest that the user did, or that was done to them."""
    theirs = Q(user__pk=user.pk) | Q(context__model__model_name="user", context__model__pk=str(user.pk))
    return [told(event) for event in Event.objects.filter(theirs)[:most]]


def latest(most: int = 8) -> list[Happening]:
    """The newest of all."""
    return [told(event) for event in Event.objects.all()[:most]]
