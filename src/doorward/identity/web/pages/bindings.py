"""Who may enter an application: add a group or a user, remove one."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, unbind
from doorward.identity.reach.changes import BindingAdded, BindingRemoved, warnings
from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.pages import applications
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin
from doorward.identity.web.pages.needs import may_see


@require_POST
@administrators
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/bindings/``"""
    application, form = applications.find(slug), BindingForm(request.POST)
    if form.is_valid() and "preview" in request.POST:
        preview = warnings(BindingAdded(application, form.cleaned_data), named=may_see(request, User)) or [
            _("Nobody gains or loses access.")
        ]
        return applications.show_application(request, application, form, preview=preview)
    if form.is_valid():
        values = form.cleaned_data
        last = application.bindings.aggregate(last=Max("order"))["last"]
        with errors_at(form):
            bind(Actor.of(request), application, order=0 if last is None else last + 1, **values)
            return done(request, applications.address(application), _("Saved, and in force."))
    return applications.show_application(request, application, form)


@require_http_methods(["GET", "POST"])
@administrators
def remove(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/bindings/<uuid>/remove/``"""
    application = applications.find(slug)
    binding = get_object_or_404(application.bindings.select_related("user", "group", "policy"), pk=uuid)
    address = applications.address(application)
    if request.method == "POST":
        unbind(Actor.of(request), binding)
        return done(request, address, _("Saved, and in force."))
    subject = _("the group “%(group)s”") % {"group": binding.group} if binding.group else f"“{binding.subject}”"
    is_last = not application.bindings.filter(enabled=True).exclude(pk=binding.pk).exists()
    lines = [_("Whoever may not enter without it is logged out of the application at once.")]
    if is_last:
        lines = [_("It is the last entry: without it everybody who has an account here may enter.")]
    lines += warnings(BindingRemoved(binding), named=may_see(request, User))
    return show_admin(
        request,
        "confirm.html",
        section=applications.SECTION,
        title=_("Remove %(subject)s") % {"subject": binding.subject},
        crumbs=[*applications.UP, (application.name, address)],
        question=_("Remove %(subject)s from who may enter “%(name)s”?")
        % {"subject": subject, "name": application.name},
        consequences=lines,
        submit="Remove",
        back=address,
    )
