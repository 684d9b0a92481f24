"""``/source/saml/<slug>/slo/``: single log-out, asked for by either side. Signed messages only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.crypto.vault import Unreadable
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.logins.session_store import NOTICE
from doorward.identity.sources.saml import bindings, logout, vouched_logins
from doorward.identity.sources.saml.errors import NotBelieved
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.sources.saml.views import source_called
from doorward.identity.sources.saml.xml import Element

_LONGEST_STATE = 1024
"""Characters of a relay state that is sent back as it came."""


@csrf_exempt
@require_http_methods(["GET", "POST"])
def slo(request: HttpRequest, slug: str) -> HttpResponse:
    """A request of the identity provider, or its answer to ours; without either, on to where a log-out here goes on."""
    source = source_called(slug)
    try:
        if request.method == "POST":
            fields = request.POST.getlist(bindings.REQUEST)
            if len(fields) != 1:
                raise NotBelieved("There is no request to log out, or more than one.")
            return _asked(request, source, logout.in_form(source, fields[0]), request.POST.get("RelayState", ""))
        raw = request.META.get("QUERY_STRING", "")
        if bindings.REQUEST in request.GET:
            # The relay state that was signed, not one that is written in another way beside it.
            state = bindings.parameters(raw).get("RelayState", "")
            return _asked(request, source, logout.in_query(source, raw, bindings.REQUEST), state)
    except (NotBelieved, Unreadable) as error:
        _warn(source, error)
        return denied_page(
            request, message=_("This request to log out is not believed."), reasons=(str(error)[:300],), status=403
        )
    return _back(request, source, raw)


def _asked(request: HttpRequest, source: SAMLSource, message: Element, relay_state: str) -> HttpResponse:
    departure = logout.end_logins(Actor.of(request), source, message)
    if not source.slo_url:
        return HttpResponseRedirect(reverse("flow-default-authentication"))
    response = HttpResponseRedirect(logout.response_url(source, departure.identifier, relay_state[:_LONGEST_STATE]))
    response.status_code = 303
    return response


def _back(request: HttpRequest, source: SAMLSource, raw_query: str) -> HttpResponse:
    """From the identity provider, after a log-out that began here; whatever it says, that one is done."""
    leaving = vouched_logins.waiting(request.session)
    if leaving is None or not leaving.request or leaving.source != str(source.pk):
        return HttpResponseRedirect(reverse("flow-default-invalidation"))
    vouched_logins.stop_waiting(request.session)
    try:
        logout.require_done(source, logout.in_query(source, raw_query, bindings.RESPONSE), leaving)
    except NotBelieved as error:
        _warn(source, error)
        request.session[NOTICE] = _(
            "You are logged out here. %(source)s has not confirmed that you are logged out there as well."
        ) % {"source": source.name}
    return HttpResponseRedirect(leaving.back or "/")


def _warn(source: SAMLSource, error: Exception) -> None:
    events.record(
        "configuration_warning", "authentik.sources.saml", Actor.system(), source=source, message=str(error)[:300]
    )
