"""The letters that this program sends: each in each language as it would arrive, whose words they are, and a test."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorward.config import letters as own
from doorward.identity.languages.supported import LANGUAGES, OFFERED, Spoken
from doorward.identity.mail import outbox, samples
from doorward.identity.mail.composing import Composed
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import done, show_admin
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}letters/"
CODES = [code for code, _name in LANGUAGES]


@dataclass(frozen=True, slots=True)
class Row:
    """A letter, and in which languages it has words of its own, or would have but for a fault."""

    name: str
    words: str
    own: tuple[Spoken, ...]
    faulty: tuple[Spoken, ...]


@require_GET
@administrators
def letters(request: HttpRequest) -> HttpResponse:
    """``/if/admin/letters/``"""
    return show_admin(
        request,
        "letters.html",
        section=SECTION,
        title=_("Letters"),
        rows=[_row(request, name) for name in samples.names()],
        problems=own.problems(settings.OWN_TEMPLATES, CODES),
        folder=settings.OWN_TEMPLATES / own.FOLDER,
        sends=outbox.is_configured(),
    )


def _row(request: HttpRequest, name: str) -> Row:
    found = [(spoken, _composed(request, name, spoken.code)) for spoken in OFFERED]
    return Row(
        name,
        samples.words_for(name),
        tuple(spoken for spoken, letter in found if letter.files),
        tuple(spoken for spoken, letter in found if letter.problems),
    )


@require_GET
@administrators
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """``/if/admin/letters/<name>/``, in the language that ``?language=`` names."""
    _require(name)
    language = request.GET.get("language", "")
    spoken = next((each for each in OFFERED if each.code == language), None) or _spoken_now()
    return show_admin(
        request,
        "letter.html",
        section=SECTION,
        title=_(samples.words_for(name)),
        crumbs=[(_("Letters"), SECTION)],
        name=name,
        letter=_composed(request, name, spoken.code),
        spoken=spoken,
        offered=OFFERED,
        variables=own.kind_of(name).variables,
        needs=own.kind_of(name).needs,
        folder=settings.OWN_TEMPLATES / own.FOLDER,
        recipient=person(request).email if outbox.is_configured() else "",
        sends=outbox.is_configured(),
    )


@require_GET
@administrators
def markup(request: HttpRequest, name: str, language: str) -> HttpResponse:
    """The letter's HTML by itself, for the frame of its page: nothing in it can act."""
    _require(name, language)
    response = HttpResponse(_composed(request, name, language).html)
    response.is_letter = True  # type: ignore[attr-defined]
    return response


@require_POST
@administrators
def test(request: HttpRequest, name: str, language: str) -> HttpResponse:
    """Send it to whoever asks, as it would be sent."""
    _require(name, language)
    back = f"{reverse('admin-letter', args=[name])}?language={language}"
    user = person(request)
    if not user.email or not outbox.is_configured():
        return done(request, back, _("Nothing was sent: there is no address, or no way to send letters."), "warn")
    with translation.override(language):
        outbox.send(user.email, samples.composed(name, user))
    return done(request, back, _("A letter to %(address)s is on its way.") % {"address": user.email})


def _composed(request: HttpRequest, name: str, language: str) -> Composed:
    with translation.override(language):
        return samples.composed(name, person(request))


def _spoken_now() -> Spoken:
    return next((each for each in OFFERED if each.code == translation.get_language()), OFFERED[0])


def _require(name: str, language: str = CODES[0]) -> None:
    """Raises Http404."""
    if name not in samples.names() or language not in CODES:
        raise Http404
