"""Reputations: who has failed to log in lately, and forgiving it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.policies.models import Reputation
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, show_admin
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}reputation/"


@require_GET
@administrators
def reputations(request: HttpRequest) -> HttpResponse:
    """``/if/admin/reputation/``: the worst first."""
    query = search_text(request)
    found = Reputation.objects.filter(
        Q(identifier__icontains=query) | Q(ip__icontains=query), expires__gt=timezone.now()
    )
    return show_admin(
        request,
        "reputations.html",
        section=SECTION,
        title="Reputation",
        rows=page_of(request, found.order_by("score", "-updated")),
        query=query,
    )


@require_POST
@administrators
def forgive(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Forget what one name has earned at one address."""
    plain_writes.delete(Actor.of(request), get_object_or_404(Reputation, pk=uuid))
    return done(request, SECTION, _("Forgiven."))
