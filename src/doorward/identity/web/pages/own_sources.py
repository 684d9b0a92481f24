"""The other places that a user logs in at: connecting and disconnecting them, and the question whether one is theirs.

Both need a login of the last quarter of an hour and a POST of this page (S-525).
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.sources import arrivals, connecting, entry
from doorward.identity.sources.models import Source, UserSourceConnection
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.answers import done, show_own
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently

SOURCES = "/if/user/sources/"


@require_GET
@signed_in
def own(request: HttpRequest) -> HttpResponse:
    """``/if/user/sources/``"""
    user = person(request)
    connections = list(user.source_connections.select_related("source"))
    known = {connection.source_id for connection in connections}
    others = [
        source
        for source in Source.objects.filter(enabled=True, kind__in=connecting.CONNECTS)
        if source.pk not in known and entry.offered(request, source)
    ]
    return show_own(
        request,
        "sources.html",
        title=_("Connected accounts"),
        connections=connections,
        others=others,
        only_way=len(connections) == 1 and not user.has_usable_password(),
    )


@require_POST
@signed_in
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/user/sources/<slug>/connect/``: to the source, as whoever is logged in here."""
    source = get_object_or_404(Source, slug=slug, enabled=True)
    leave = connecting.CONNECTS.get(source.kind)
    if leave is None or not entry.offered(request, source):
        raise Http404
    actor = Actor.of(request)
    if actor.impersonator is not None:
        raise Http404
    if not proved_recently(request):
        return log_in_again(request, SOURCES)
    answer = leave(request, source.concrete(), person(request).pk)
    if isinstance(answer, HttpResponseRedirect) and not answer.url.startswith("/"):
        # Browsers apply form-action to where the answer to a form redirects; a page of our own goes on by itself.
        return render(request, "flows/onward.html", {"to": answer.url})
    return answer


@require_POST
@signed_in
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/user/sources/<pk>/disconnect/``"""
    connection = get_object_or_404(UserSourceConnection, pk=pk, user=person(request))
    if not proved_recently(request):
        return log_in_again(request, SOURCES)
    arrivals.unlink(Actor.of(request), connection)
    return done(request, SOURCES, _("Disconnected."))


@require_http_methods(["GET", "POST"])
@signed_in
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/user/sources/<slug>/confirm/``: whoever has arrived may be this user; do the two belong together?"""
    source = get_object_or_404(Source, slug=slug, enabled=True)
    found = entry.claim(request, source)
    if found is None:
        return HttpResponseRedirect(reverse("own-sources"))
    if not proved_recently(request):
        return log_in_again(request, request.path)
    if request.method == "POST":
        try:
            entry.confirm(request, source, found, person(request))
        except arrivals.NotSettled as error:
            return denied_page(request, message=str(error), reasons=(error.reason,), status=403)
        return done(request, SOURCES, _("Connected. From now on you can log in there."))
    title = _("Connect %(source)s?") % {"source": source.name}
    return show_own(request, "confirm_source.html", title=title, source=source, arrival=found.arrival)
