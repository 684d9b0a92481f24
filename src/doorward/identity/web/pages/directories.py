"""LDAP directories, one kind of sources: set up, change, try, copy now, delete."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap import actions
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.ldap.places import places_of
from doorward.identity.web.forms.directories import DirectoryForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.sources import SECTION, UP


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/directory/``"""
    form = DirectoryForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create(Actor.of(request), form.changes)
            return done(request, address(made), _("The directory is set up. Try it before it is copied."))
    return show_admin(
        request,
        "directory.html",
        section=SECTION,
        title=_("New directory"),
        crumbs=UP,
        form=form,
        submit=_("Set up directory"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def directory(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/directories/<slug>/``: how its copying goes, and its settings; ``?try`` asks it who is there."""
    source = get_object_or_404(LDAPSource, slug=slug)
    form = DirectoryForm(request.POST if request.method == "POST" else None, instance=source)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            changed = actions.update(Actor.of(request), get_object_or_404(LDAPSource, slug=slug), form.changes)
            return done(request, address(changed), _("Saved."))
    stored = get_object_or_404(LDAPSource, slug=slug)
    tried = None
    if "try" in request.GET and request.method == "GET":
        from doorward.identity.sources.ldap.trial import tried as ask

        tried = ask(stored)
    return show_admin(
        request,
        "directory.html",
        section=SECTION,
        title=stored.name,
        crumbs=UP,
        form=form,
        stored=stored,
        state=Sync.objects.filter(source=stored).first(),
        readable=not stored.start_tls and not all(place.tls for place in places_of(stored.server_uri)),
        tried=tried,
        submit=_("Save"),
        back=SECTION,
        status=status_of(form),
    )


@require_POST
@administrators
def sync(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/directories/<slug>/sync/``"""
    source = get_object_or_404(LDAPSource, slug=slug)
    actions.want_sync(Actor.of(request), source)
    return done(request, address(source), _("The directory is being copied."))


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/directories/<slug>/delete/``"""
    source, problem = get_object_or_404(LDAPSource, slug=slug), ""
    if request.method == "POST":
        try:
            actions.delete(Actor.of(request), source)
            return done(request, SECTION, _("The directory is deleted."))
        except ValidationError as refused:
            problem = " ".join(refused.messages)
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": source.name},
        crumbs=[*UP, (source.name, address(source))],
        question=_("Delete the directory %(name)s?") % {"name": source.name},
        consequences=[_("Its users and groups stay, but nobody logs in with a password of this directory any more.")],
        submit=_("Delete directory"),
        back=address(source),
        problem=problem,
        status=409 if problem else 200,
    )


def address(source: LDAPSource) -> str:
    """Of its page."""
    return reverse("admin-directory", args=[source.slug])
