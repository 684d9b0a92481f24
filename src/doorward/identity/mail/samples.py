"""Every letter with something made up in it, to be looked at by administrators before anybody gets one."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.config import letters
from doorward.identity.access_requests.models import AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.mail.composing import Composed, compose
from doorward.identity.stages.models import EmailStage

WORDS = {
    "password_reset": gettext_noop("For whoever has forgotten their password"),
    "account_confirmation": gettext_noop("For whoever has just made an account"),
    "email_otp": gettext_noop("A code, as a second factor"),
    "invitation": gettext_noop("An invitation"),
    "notice": gettext_noop("What happened to one’s account"),
    "event_notification": gettext_noop("What a notification rule tells"),
    "access_request": gettext_noop("Somebody asks for access"),
    "access_decision": gettext_noop("What became of a request for access"),
}
OF_FILES = gettext_noop("A letter of your own, for e-mail stages")


class Sample(NamedTuple):
    subject: str
    context: dict[str, object]


def names() -> list[str]:
    """Every letter: the built-in ones, then those that only files define."""
    return [*letters.LETTERS, *letters.own_names(settings.OWN_TEMPLATES)]


def words_for(name: str) -> str:
    """What the letter is for; to be translated by whoever shows it."""
    return WORDS.get(name, OF_FILES)


def composed(name: str, user: User) -> Composed:
    """The letter in the active language, as ``user`` would get it."""
    sample = _sample(name, user)
    return compose(sample.subject, name, sample.context, otherwise=letters.OF_STAGES[0])


def _sample(name: str, user: User) -> Sample:
    url, title = f"{settings.EXTERNAL_URL}/?example", "whoami"
    about = {"user": user.username, "application": title}
    link: dict[str, object] = {"user": user, "url": url}
    match name:
        case "email_otp":
            return Sample(_("Your code"), {"user": user, "code": "1234 5678", "minutes": 10})
        case "invitation":
            return Sample(_("You are invited"), {"url": url, "expires": timezone.now() + timedelta(days=7)})
        case "notice":
            return Sample(
                _("About your account"), {"user": user, "what": _("The password of your account was changed.")}
            )
        case "event_notification":
            said = {"severity": _("Notice"), "what": _("A test notification"), "event": Event(created=timezone.now())}
            return Sample(_("A test notification"), {**link, **said})
        case "access_request":
            subject = _("%(user)s asks for access to %(application)s") % about
            return Sample(subject, {**link, "request": _request(user, title, AccessRequest.Status.PENDING)})
        case "access_decision":
            subject = _("Your access to %(application)s") % about
            return Sample(subject, {**link, "request": _request(user, title, AccessRequest.Status.APPROVED)})
        case _:
            stage = EmailStage.objects.filter(template=f"{letters.FOLDER}/{name}.html").order_by("name").first()
            return Sample(_((stage or EmailStage()).subject), {**link, "minutes": 30})


def _request(user: User, title: str, status: AccessRequest.Status) -> AccessRequest:
    return AccessRequest(
        application=Application(name=title, slug=title),
        user=user,
        reason="…",
        until=timezone.now() + timedelta(days=7),
        status=status,
    )
