"""Identity sources of every kind: list, set up, change, try, switch, delete (``source_kinds`` says what is whose)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.sources.models import Source
from doorward.identity.stages.models import IdentificationStage
from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.forms.sources import SourceForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.listing import Choice, page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.suggestions import usernames
from doorward.identity.web.source_kinds.kind import BrowserKind, people_of
from doorward.identity.web.source_kinds.registry import KINDS, browser_kind, kind_of

SECTION = f"{ROOT}sources/"
UP: list[Crumb] = [(gettext_lazy("Sources"), SECTION)]


@require_GET
@administrators
def sources(request: HttpRequest) -> HttpResponse:
    """``/if/admin/sources/``"""
    query = search_text(request)
    titles = {name: kind.title for name, kind in KINDS.items()}
    kind = Choice.read(request, "kind", _("Kind"), {"": _("Of every kind"), **titles})
    found = Source.objects.filter(name__icontains=query, kind__in=KINDS)
    rows = page_of(request, found.filter(kind=kind.value) if kind.value else found)
    shown = [(source := each.concrete(), kind_of(source), kind_of(source).state(source)) for each in rows]
    return show_admin(
        request,
        "sources.html",
        section=SECTION,
        title="Sources",
        rows=rows,
        sources=[(each, of, of.where(each), of.address(each), state) for each, of, state in shown],
        query=query,
        filters=[kind],
    )


@require_GET
@administrators
def new(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/source/``: from where?"""
    offers = [offer for kind in KINDS.values() for offer in kind.offers()]
    return show_admin(request, "new_source.html", section=SECTION, title="New source", crumbs=UP, offers=offers)


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest, kind: str) -> HttpResponse:
    """``/if/admin/new/source/<kind>/``; what the query says fills the form in (``?preset=…``)."""
    of = browser_kind(kind)
    if of is None:
        raise Http404
    initial = {"preset": request.GET.get("preset", "")}
    form = of.form(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = of.create(Actor.of(request), form.changes)
            return done(request, of.address(made), _("The source is set up. Try it, then put it on the login page."))
    slug = form.data.get("slug", "") if form.is_bound else form.initial.get("slug", "")
    return show_admin(
        request,
        "new_source_of.html",
        section=SECTION,
        title=_("New source: %(kind)s") % {"kind": form.titled},
        crumbs=UP,
        form=form,
        told=of.told(str(slug) or "SLUG"),
        back=reverse("admin-new-source"),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/sources/<slug>/``: what it is, for whom, and its settings; ``?try`` asks the other side."""
    changed, of = _with_pages_here(slug)
    form = of.form(request.POST if request.method == "POST" else None, source=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            of.update(Actor.of(request), changed, form.changes)
            return done(request, of.address(changed), _("Saved, and in force."))
    return show_source(request, slug, form=form)


def show_source(
    request: HttpRequest, slug: str, *, form: SourceForm | None = None, binding_form: BindingForm | None = None
) -> HttpResponse:
    """The page of a source whose people come by a browser, with forms that were sent and are not right."""
    stored, of = _with_pages_here(slug)
    return show_admin(
        request,
        "source.html",
        section=SECTION,
        title=stored.name,
        crumbs=UP,
        source=stored,
        kind=of,
        told=of.told(stored.slug),
        facts=of.facts(stored),
        people=people_of(stored),
        shown_on=IdentificationStage.objects.filter(sources=stored.pk).order_by("name"),
        tried=of.tried(stored) if "try" in request.GET and request.method == "GET" else None,
        bindings=stored.bindings.select_related("user", "group", "policy").order_by("order"),
        binding_form=binding_form or BindingForm(),
        usernames=usernames(),
        form=form or of.form(source=stored),
        back=SECTION,
        status=status_of(form if form is not None else binding_form or BindingForm()),
    )


@require_POST
@administrators
@careful
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/sources/<slug>/switch/``: in use, or not."""
    switched = find(slug)
    kind_of(switched).update(Actor.of(request), switched, {"enabled": not switched.enabled})
    return done(
        request, address(switched), _("In use again.") if switched.enabled else _("Nobody comes through it now.")
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/sources/<slug>/delete/``"""
    going = find(slug)
    if request.method == "POST":
        name = going.name
        kind_of(going).delete(Actor.of(request), going)
        return done(request, SECTION, _("The source %(name)s is deleted.") % {"name": name})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the source %(name)s?") % {"name": going.name},
        consequences=_lost(going),
        submit=_("Delete source"),
        back=address(going),
    )


def _lost(going: Source) -> list[str]:
    """What is gone with it, and whom that locks out."""
    people = User.objects.filter(source_connections__source=going.pk)
    connected, number = people.count(), sum(not user.has_usable_password() for user in people)
    groups = going.group_connections.count()
    lines = [_("Nobody logs in through it any more. Those who came through it stay, with their groups.")]
    if connected:
        lines.append(
            ngettext(
                "%(n)s person is no longer connected to it; made anew, it does not know them.",
                "%(n)s people are no longer connected to it; made anew, it does not know them.",
                connected,
            )
            % {"n": connected}
        )
    if number:
        lines.append(
            ngettext(
                "%(n)s of them has no password, and needs a recovery link from you to get in again.",
                "%(n)s of them have no password, and need a recovery link from you to get in again.",
                number,
            )
            % {"n": number}
        )
    if groups:
        lines.append(
            ngettext("%(n)s group is no longer filled by it.", "%(n)s groups are no longer filled by it.", groups)
            % {"n": groups}
        )
    return lines


def find(slug: str) -> Source:
    """As an object of its own kind. Raises Http404."""
    return get_object_or_404(Source, slug=slug, kind__in=KINDS).concrete()


def address(of: Source) -> str:
    """Of its page."""
    return kind_of(of).address(of)


def _with_pages_here(slug: str) -> tuple[Source, BrowserKind]:
    found = find(slug)
    of = browser_kind(found.kind)
    if of is None:
        raise Http404
    return found, of
