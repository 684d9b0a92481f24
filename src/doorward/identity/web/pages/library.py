"""The library: what the user may open, and the door to each application."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorward.identity.access_requests.queries import to_ask_for
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import launch_url, library
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.models import User
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.answers import show_own
from doorward.identity.web.pages.listing import search_text

OUTSIDE = (User.Type.EXTERNAL, User.Type.SERVICE_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The applications under one heading; the first shelf has none."""

    heading: str
    applications: list[Application]


@require_GET
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """``/``: the library, or the one application that visitors from outside come for."""
    if person(request).type in OUTSIDE:
        only = current_brand().default_application
        if only is not None:
            return HttpResponseRedirect(reverse("launch", args=[only.slug]))
    return HttpResponseRedirect("/if/user/")


@require_GET
@signed_in
def library_page(request: HttpRequest) -> HttpResponse:
    """``/if/user/``, narrowed by ``?q=``."""
    everything = library(person(request), Asked.by(request))
    query = search_text(request)
    found = [application for application in everything if matches(application, query)]
    return show_own(
        request,
        "library.html",
        title=_("Your applications"),
        shelves=shelves(found),
        query=query,
        none_at_all=not everything,
        to_ask_for=to_ask_for(person(request), Asked.by(request)),
    )


@require_GET
@signed_in
def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """``/application/launch/<slug>/``: may the user enter? Then there."""
    application = get_object_or_404(Application.objects.select_related("provider"), slug=slug)
    user = person(request)
    judged = verdict(application, user, Asked.by(request))
    if not judged.passing:
        return denied_page(request, application=application, reasons=judged.reasons, said=judged.messages, status=403)
    url = launch_url(application, user)
    if url is None:
        raise Http404
    return HttpResponseRedirect(url)


def matches(application: Application, query: str) -> bool:
    """Whether every word of ``query`` stands somewhere in what the tile shows."""
    text = " ".join((application.name, application.meta_description, application.meta_publisher, application.group))
    return all(word in text.casefold() for word in query.casefold().split())


def shelves(applications: list[Application]) -> list[Shelf]:
    """By heading, then by name."""
    ordered = sorted(applications, key=lambda each: (each.group.casefold(), each.group, each.name.casefold()))
    return [Shelf(heading, list(members)) for heading, members in groupby(ordered, key=lambda each: each.group)]
