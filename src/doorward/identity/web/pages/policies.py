"""Policies: list, create, change, delete, and what one says about somebody."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications.models import Application
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.policies import actions
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.judges import Said, said_by
from doorward.identity.policies.models import Policy
from doorward.identity.stages.models import PromptStage
from doorward.identity.web.forms.policies import AskForm, kinds
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}policies/"
UP: list[Crumb] = [(gettext_lazy("Policies"), SECTION)]


@require_GET
@administrators
def policies(request: HttpRequest) -> HttpResponse:
    """``/if/admin/policies/``"""
    query = search_text(request)
    titles = {kind: str(form.title) for kind, form in kinds().items()}
    found = Policy.objects.filter(name__icontains=query).annotate(
        judges=Count("bindings", distinct=True) + Count("passwordpolicy__prompt_stages", distinct=True)
    )
    rows = page_of(request, found.order_by("name"))
    return show_admin(
        request,
        "policies.html",
        section=SECTION,
        title="Policies",
        rows=rows,
        policies=[(policy, titles[policy.kind]) for policy in rows],
        query=query,
    )


@require_GET
@administrators
def new(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/policy/``: of which kind?"""
    return show_admin(
        request, "new_policy.html", section=SECTION, title="New policy", crumbs=UP, kinds=list(kinds().items())
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest, kind: str) -> HttpResponse:
    """``/if/admin/new/policy/<kind>/``"""
    form_class = kinds().get(kind)
    if form_class is None:
        raise Http404
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create_policy(Actor.of(request), form.of, **form.cleaned_data)
            return done(
                request,
                address(made),
                _("“%(made)s” is created. It judges nothing until it is bound.") % {"made": made},
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("New %(kind)s policy") % {"kind": form.title.lower()},
        crumbs=UP,
        form=form,
        submit="Create policy",
        back=SECTION,
        lead=f"{form.does}.",
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def policy(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/policies/<uuid>/``; ``?ask=`` names a user to judge."""
    changed = find(uuid)
    form = kinds()[changed.kind](request.POST if request.method == "POST" else None, policy=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update_policy(Actor.of(request), changed, **form.cleaned_data)
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(uuid)
    ask = AskForm(request.GET if "ask" in request.GET else None)
    user = ask.cleaned_data["ask"] if ask.is_bound and ask.is_valid() else None
    said, problem = _judged(request, stored, user) if user is not None else (None, "")
    return show_admin(
        request,
        "policy.html",
        section=SECTION,
        title=stored.name,
        crumbs=UP,
        policy=stored,
        form=form,
        bound=bound_to(stored),
        ask=ask,
        about=user,
        said=said,
        problem=problem,
        usernames=usernames(),
        back=SECTION,
        status=status_of(form),
    )


def _judged(request: HttpRequest, judged: Policy, user: User) -> tuple[Said | None, str]:
    """What it says, or why it says nothing."""
    try:
        return said_by(Policy.objects.get(pk=judged.pk), user, Asked.by(request)), ""
    except Exception as error:  # noqa: BLE001 - a rule may stumble over anything, and its author wants to know
        return None, _("It could not be judged: %(error)s") % {"error": error}


@require_http_methods(["GET", "POST"])
@administrators
@careful
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/policies/<uuid>/delete/``; 409 while it is all that guards something."""
    going, problem = find(uuid), ""
    if request.method == "POST":
        name = going.name
        try:
            actions.delete_policy(Actor.of(request), going)
            return done(request, SECTION, _("The policy “%(name)s” is deleted.") % {"name": name})
        except Refused as refused:
            going, problem = find(uuid), str(refused)
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the policy “%(name)s”?") % {"name": going.name},
        consequences=[_("It no longer judges %(what)s.") % {"what": what} for what in bound_to(going)]
        or [_("Nothing is bound to it.")],
        submit="Delete policy",
        back=address(going),
        problem=problem,
        status=409 if problem else 200,
    )


def bound_to(of: Policy) -> list[str]:
    """What it judges, in words."""
    targets = of.bindings.values_list("target_id", flat=True)
    places = FlowStageBinding.objects.filter(pk__in=targets).select_related("flow", "stage")
    return [
        *(
            _("application %(name)s") % {"name": application.name}
            for application in Application.objects.filter(pk__in=targets)
        ),
        *(_("flow %(slug)s") % {"slug": flow.slug} for flow in Flow.objects.filter(pk__in=targets)),
        *(_("stage %(name)s in %(slug)s") % {"name": place.stage.name, "slug": place.flow.slug} for place in places),
        *_elsewhere(targets, places),
        *(
            _("stage %(name)s") % {"name": stage.name}
            for stage in PromptStage.objects.filter(validation_policies__pk=of.pk)
        ),
    ]


def _elsewhere(targets: Iterable[UUID], places: Iterable[FlowStageBinding]) -> list[str]:
    """Bindings on what is neither an application nor a flow, such as a source or a rule about events."""
    known = {place.pk for place in places}
    known |= set(Application.objects.filter(pk__in=targets).values_list("pk", flat=True))
    known |= set(Flow.objects.filter(pk__in=targets).values_list("pk", flat=True))
    number = len({target for target in targets if target not in known})
    words = ngettext("%(count)s other thing", "%(count)s other things", number)
    return [words % {"count": number}] if number else []


def find(uuid: UUID) -> Policy:
    """As an object of its own kind. Raises Http404."""
    return get_object_or_404(Policy, pk=uuid).concrete()


def address(of: Policy) -> str:
    """Of its page."""
    return reverse("admin-policy", args=[of.pk])
