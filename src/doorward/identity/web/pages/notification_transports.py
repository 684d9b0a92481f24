"""The ways in which people are told, a try of each, and the expressions that webhooks are made with."""

from __future__ import annotations

from uuid import UUID

from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.notifications import actions
from doorward.identity.notifications.messages import TROUBLE
from doorward.identity.notifications.models import Transport, WebhookMapping
from doorward.identity.web.forms.notifications import MappingForm, TransportForm
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.notification_rules import SECTION

Object = Transport | WebhookMapping


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/notification-transport/``"""
    form = TransportForm(request.POST if request.method == "POST" else None)
    return _edit(request, form, Transport, None)


@require_http_methods(["GET", "POST"])
@administrators
def transport(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/transports/<uuid>/``"""
    changed = get_object_or_404(Transport, pk=uuid)
    form = TransportForm(request.POST if request.method == "POST" else None, transport=changed)
    return _edit(request, form, Transport, changed)


@require_http_methods(["GET", "POST"])
@administrators
def create_mapping(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/webhook-mapping/``"""
    form = MappingForm(request.POST if request.method == "POST" else None)
    return _edit(request, form, WebhookMapping, None)


@require_http_methods(["GET", "POST"])
@administrators
def mapping(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/mappings/<uuid>/``"""
    changed = get_object_or_404(WebhookMapping, pk=uuid)
    form = MappingForm(request.POST if request.method == "POST" else None, mapping=changed)
    return _edit(request, form, WebhookMapping, changed)


def _edit(
    request: HttpRequest, form: TransportForm | MappingForm, model: type[Object], stored: Object | None
) -> HttpResponse:
    if form.is_bound and form.is_valid():
        with errors_at(form):
            if stored is None:
                made: Object = plain_writes.create(Actor.of(request), model, form.cleaned_data)
            else:
                made = plain_writes.update(Actor.of(request), stored, form.cleaned_data)
            return done(request, address(made), _("Saved."))
    name = type(stored).objects.get(pk=stored.pk).name if stored is not None else ""
    new = _("New way of telling people") if model is Transport else _("New webhook mapping")
    return show_admin(
        request,
        "notification_transport.html",
        section=SECTION,
        title=name or new,
        crumbs=[(_("Notifications"), SECTION)],
        form=form,
        stored=stored,
        transport=stored if isinstance(stored, Transport) else None,
        delete=_delete_address(stored) if stored is not None else "",
        submit=_("Save"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/transports/<uuid>/delete/``"""
    return _delete(request, get_object_or_404(Transport, pk=uuid))


@require_http_methods(["GET", "POST"])
@administrators
def delete_mapping(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/notifications/mappings/<uuid>/delete/``"""
    return _delete(request, get_object_or_404(WebhookMapping, pk=uuid))


def _delete(request: HttpRequest, going: Object) -> HttpResponse:
    problem, name = "", going.name
    if request.method == "POST":
        try:
            plain_writes.delete(Actor.of(request), going)
            return done(request, SECTION, _("%(name)s is deleted.") % {"name": name})
        except ProtectedError:
            problem = _("A transport is made with it; change that first.")
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": name},
        crumbs=[(_("Notifications"), SECTION), (name, address(going))],
        question=_("Delete %(name)s?") % {"name": name},
        consequences=[_("Nobody is told in this way any more.")] if isinstance(going, Transport) else [],
        submit=_("Delete"),
        back=address(going),
        problem=problem,
        status=409 if problem else 200,
    )


@require_POST
@administrators
def test(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Tell whoever asks something by it, now."""
    tried = get_object_or_404(Transport, pk=uuid)
    try:
        said, kind = actions.send_test(Actor.of(request), tried, person(request)), "good"
    except TROUBLE as error:
        said, kind = str(error), "warn"
    return done(request, address(tried), said, kind)


def address(of: Object) -> str:
    """Of its page."""
    kind = "transport" if isinstance(of, Transport) else "mapping"
    return reverse(f"admin-notification-{kind}", args=[of.pk])


def _delete_address(of: Object) -> str:
    kind = "transport" if isinstance(of, Transport) else "mapping"
    return reverse(f"admin-notification-{kind}-delete", args=[of.pk])
