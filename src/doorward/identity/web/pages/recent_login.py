"""Secrets are shown to somebody who has just proved who they are, not to a browser that was left open (S-605)."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.brands.queries import default_flow
from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow
from doorward.identity.logins.queries import current
from doorward.identity.web.pages import notices

RECENT = timedelta(minutes=15)


def proved_recently(request: HttpRequest) -> bool:
    """Whether this login is at most a quarter of an hour old."""
    login = current(request)
    return login is not None and login.authenticated_at is not None and login.authenticated_at > timezone.now() - RECENT


def log_in_again(request: HttpRequest, back: str) -> HttpResponse:
    """Through the login once more, then to ``back``."""
    flow = default_flow(Flow.Designation.AUTHENTICATION)
    if flow is None:
        raise Http404
    minutes = int(RECENT.total_seconds() // 60)
    text = _(
        "A secret is for somebody who has logged in within the last %(minutes)s minutes. Log in, and ask for it again."
    ) % {"minutes": minutes}
    notices.leave(request, text, "warn")
    return entrance.start(request, flow, next_url=back, context=PlanContext(continuation=back, reauthenticate=True))
