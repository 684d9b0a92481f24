"""Letters about requests for access: to whoever decides, and to whoever asked."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from doorward.identity.access_requests import queries
from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.languages.choice import for_letter_to
from doorward.identity.mail import outbox

MOST = 50
"""Approvers who are written to; the page shows it to all of them."""


def to_approvers(request: AccessRequest, offer: AccessOffer) -> None:
    """Somebody asks."""
    for approver in queries.approvers(offer).exclude(pk=request.user_id).exclude(email="")[:MOST]:
        with translation.override(for_letter_to(approver)):
            subject = _("%(user)s asks for access to %(application)s") % _about(request)
            outbox.post(
                approver.email, subject, "access_request", {"user": approver, "request": request, "url": _url(request)}
            )


def to_user(request: AccessRequest) -> None:
    """What was decided."""
    if not request.user.email:
        return
    with translation.override(for_letter_to(request.user)):
        subject = _("Your access to %(application)s") % _about(request)
        outbox.post(
            request.user.email,
            subject,
            "access_decision",
            {"user": request.user, "request": request, "url": _url(request)},
        )


def _about(request: AccessRequest) -> dict[str, str]:
    return {"user": request.user.username, "application": request.application.name}


def _url(request: AccessRequest) -> str:
    return urljoin(settings.EXTERNAL_URL, reverse("own-request", args=[request.pk]))
