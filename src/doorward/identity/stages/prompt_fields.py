"""What each type of prompt takes: its HTML input, and the check of what was typed.

=====================  ==============================================================
text, text_area        one line; several
username, email        a name that nobody else has; an address
password               never shown again, never kept in the clear; all of a page are the same
number, date, …        what the name says, in the form in which HTML inputs send it
radio, dropdown        one of the lines of ``placeholder``
ak-locale              one of the languages we speak, or none
read-only, static, …   show something; what a browser sends for them is not looked at
hidden                 ``initial_value``, whatever a browser sends
=====================  ==============================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from doorward.identity.directory import names, passwords
from doorward.identity.directory.models import User
from doorward.identity.languages.supported import LANGUAGES
from doorward.identity.stages.models import Prompt

Value = str | bool | int | float
RESERVED = frozenset({"component", "csrfmiddlewaretoken", "step"})
"""Names that the form of a page uses itself: no key of a field."""
LONGEST = 4096
"""Characters of an answer."""
SHOWS_ONLY = frozenset(
    {
        Prompt.Type.SEPARATOR,
        Prompt.Type.STATIC,
        Prompt.Type.ALERT_INFO,
        Prompt.Type.ALERT_WARNING,
        Prompt.Type.ALERT_DANGER,
    }
)
READ_ONLY = frozenset({Prompt.Type.TEXT_READ_ONLY, Prompt.Type.TEXT_AREA_READ_ONLY, Prompt.Type.HIDDEN})
INPUTS = {
    Prompt.Type.EMAIL: "email",
    Prompt.Type.NUMBER: "number",
    Prompt.Type.DATE: "date",
    Prompt.Type.DATE_TIME: "datetime-local",
    Prompt.Type.PASSWORD: "password",
}
"""The ``type`` of the HTML input, where it is not text."""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


def choices(prompt: Prompt) -> list[Choice] | None:
    """What can be chosen; None for what is typed."""
    if prompt.type == Prompt.Type.LOCALE:
        return [Choice("", _("As in the browser")), *(Choice(code, name) for code, name in LANGUAGES)]
    if prompt.type in {Prompt.Type.RADIO, Prompt.Type.DROPDOWN}:
        return [Choice(line.strip(), line.strip()) for line in prompt.placeholder.splitlines() if line.strip()]
    return None


def read(prompt: Prompt, typed: str, subject: User | None) -> Value | None:
    """What was answered; None for nothing where nothing is allowed. Raises ValidationError with one sentence."""
    if prompt.type == Prompt.Type.CHECKBOX:
        ticked = typed.lower() in {"true", "on", "1"}
        if prompt.required and not ticked:
            raise ValidationError(_("This has to be ticked."), "required")
        return ticked
    if not typed.strip():
        if prompt.required:
            raise ValidationError(_("This field is required."), "required")
        return None if prompt.type == Prompt.Type.PASSWORD else ""
    if prompt.type == Prompt.Type.PASSWORD:
        passwords.require_acceptable(typed)
        return typed
    if len(typed) > LONGEST:
        raise ValidationError(_("At most %(longest)s characters.") % {"longest": LONGEST})
    names.require_storable(typed, prompt.field_key)
    return _read_text(prompt, typed.strip(), subject)


def _read_text(prompt: Prompt, typed: str, subject: User | None) -> Value:
    match prompt.type:
        case Prompt.Type.USERNAME:
            return _free_username(typed, subject)
        case Prompt.Type.EMAIL:
            validate_email(typed)
        case Prompt.Type.NUMBER:
            return _number(typed)
        case Prompt.Type.DATE:
            return _iso(date.fromisoformat, typed)
        case Prompt.Type.DATE_TIME:
            return _iso(datetime.fromisoformat, typed)
        case Prompt.Type.RADIO | Prompt.Type.DROPDOWN | Prompt.Type.LOCALE:
            if typed not in {choice.value for choice in choices(prompt) or ()}:
                raise ValidationError(_("Choose one of these."))
        case Prompt.Type.TEXT:
            names.require_plain(typed, prompt.field_key, LONGEST)
    return typed


def _free_username(typed: str, subject: User | None) -> str:
    names.require_username(typed)
    same = User.objects.filter(folded_username=names.folded(typed))
    others = same.exclude(pk=subject.pk) if subject is not None else same
    if others.exists() or (names.is_reserved(typed) and not same.exists()):
        raise ValidationError(_("This username is taken."))
    return typed


def _number(typed: str) -> int | float:
    if len(typed) > 32 or not typed.isascii():
        raise ValidationError(_("This is not a number."))
    try:
        number = float(typed)
    except ValueError as error:
        raise ValidationError(_("This is not a number.")) from error
    if number != number or abs(number) >= 2**53:
        raise ValidationError(_("This number is too large."))
    return int(number) if number.is_integer() else number


def _iso(parse: object, typed: str) -> str:
    try:
        parse(typed)  # type: ignore[operator]
    except ValueError as error:
        raise ValidationError(_("This is not a date.")) from error
    return typed
