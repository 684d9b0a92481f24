"""Notification rules, and the policies that say which events they are about."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.notifications.models import Rule, Transport, WebhookMapping
from doorward.identity.policies import actions as policies
from doorward.identity.web.forms.notifications import BoundPolicyForm, RuleForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}notifications/"


@require_GET
@administrators
def rules(request: HttpRequest) -> HttpResponse:
    """``/if/admin/notifications/``: rules, and the ways in which people are told."""
    return show_admin(
        request,
        "notifications.html",
        section=SECTION,
        title=_("Notifications"),
        rules=Rule.objects.select_related("destination_group").prefetch_related("transports", "bindings__policy"),
        transports=Transport.objects.all(),
        mappings=WebhookMapping.objects.all(),
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/notification-rule/``"""
    form = RuleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = plain_writes.create(Actor.of(request), Rule, form.cleaned_data)
            return done(request, address(made), _("Created. Now say which events it is about."))
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("New notification rule"),
        crumbs=[(_("Notifications"), SECTION)],
        form=form,
        submit=_("Create rule"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def rule(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/rules/<uuid>/``"""
    changed = get_object_or_404(Rule, pk=uuid)
    form = RuleForm(request.POST if request.method == "POST" else None, rule=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            plain_writes.update(Actor.of(request), changed, form.cleaned_data)
            return done(request, address(changed), _("Saved."))
    stored = get_object_or_404(Rule, pk=uuid)
    return show_admin(
        request,
        "notification_rule.html",
        section=SECTION,
        title=stored.name,
        crumbs=[(_("Notifications"), SECTION)],
        rule=stored,
        bindings=stored.bindings.select_related("policy", "group", "user"),
        form=form,
        binding_form=BoundPolicyForm(),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/rules/<uuid>/delete/``"""
    going = get_object_or_404(Rule, pk=uuid)
    if request.method == "POST":
        name = going.name
        plain_writes.delete(Actor.of(request), going)
        return done(request, SECTION, _("The rule %(name)s is deleted.") % {"name": name})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[(_("Notifications"), SECTION), (going.name, address(going))],
        question=_("Delete the rule %(name)s?") % {"name": going.name},
        consequences=[_("Nobody is told by it any more. What they were told stays.")],
        submit=_("Delete rule"),
        back=address(going),
    )


@require_POST
@administrators
def bind(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Have the rule be about what a policy speaks of."""
    changed = get_object_or_404(Rule, pk=uuid)
    form = BoundPolicyForm(request.POST)
    if form.is_valid() and not changed.bindings.filter(policy=form.cleaned_data["policy"]).exists():
        policies.bind(Actor.of(request), changed, policy=form.cleaned_data["policy"], order=changed.bindings.count())
    return done(request, address(changed), _("Saved."))


@require_POST
@administrators
def unbind(request: HttpRequest, uuid: UUID, binding: UUID) -> HttpResponse:
    """And not any more."""
    changed = get_object_or_404(Rule, pk=uuid)
    policies.unbind(Actor.of(request), get_object_or_404(changed.bindings, pk=binding))
    return done(request, address(changed), _("Saved."))


def address(of: Rule) -> str:
    """Of its page."""
    return reverse("admin-notification-rule", args=[of.pk])
