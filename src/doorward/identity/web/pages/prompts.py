"""Fields of prompt stages: list, create, change, delete."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.stages.models import Prompt
from doorward.identity.web.forms.stages.prompts import TYPES, PromptForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.stages import SECTION, UP

ROOT = "/if/admin/prompts/"
HERE: list[Crumb] = [*UP, (gettext_lazy("Fields"), ROOT)]


@require_GET
@administrators
def prompts(request: HttpRequest) -> HttpResponse:
    """``/if/admin/prompts/``"""
    query = search_text(request)
    named = Q(name__icontains=query) | Q(label__icontains=query) | Q(field_key__icontains=query)
    rows = page_of(request, Prompt.objects.filter(named).prefetch_related("prompt_stages").order_by("name"))
    return show_admin(
        request,
        "prompts.html",
        section=SECTION,
        title="Fields",
        crumbs=UP,
        rows=rows,
        prompts=[(prompt, TYPES[Prompt.Type(prompt.type)]) for prompt in rows],
        query=query,
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/prompt/``"""
    form = PromptForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = plain_writes.create(Actor.of(request), Prompt, form.cleaned_data)
            return done(request, ROOT, _("“%(made)s” is created. Choose it on a prompt stage.") % {"made": made})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New field",
        crumbs=HERE,
        form=form,
        submit="Create field",
        back=ROOT,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def prompt(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/prompts/<uuid>/``"""
    changed = get_object_or_404(Prompt, pk=uuid)
    form = PromptForm(request.POST if request.method == "POST" else None, prompt=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            plain_writes.update(Actor.of(request), changed, form.cleaned_data)
            return done(request, ROOT, _("Saved, and in force."))
    stored = get_object_or_404(Prompt, pk=uuid)
    return show_admin(
        request,
        "prompt.html",
        section=SECTION,
        title=stored.name,
        crumbs=HERE,
        form=form,
        prompt=stored,
        back=ROOT,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/prompts/<uuid>/delete/``"""
    going = get_object_or_404(Prompt, pk=uuid)
    if request.method == "POST":
        name = going.name
        plain_writes.delete(Actor.of(request), going)
        return done(request, ROOT, _("The field “%(name)s” is deleted.") % {"name": name})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*HERE, (going.name, reverse("admin-prompt", args=[going.pk]))],
        question=_("Delete the field “%(label)s”?") % {"label": going.label},
        consequences=[_("“%(stage)s” no longer asks for it.") % {"stage": stage} for stage in going.prompt_stages.all()]
        or [_("No stage asks it.")],
        submit="Delete field",
        back=reverse("admin-prompt", args=[going.pk]),
    )
