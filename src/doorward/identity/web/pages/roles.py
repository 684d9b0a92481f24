"""Roles: list, create, rename, delete; who holds them, and what they permit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Count, Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.roles import actions
from doorward.identity.roles.catalogue import PERMISSIONS, model_of
from doorward.identity.roles.models import Grant, Role
from doorward.identity.web.forms.roles import GrantForm, HolderForm, RoleForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.needs import may_see, narrowed
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}roles/"
UP: list[Crumb] = [(gettext_lazy("Roles"), SECTION)]


@dataclass(frozen=True, slots=True)
class Permitted:
    """A line of a role: what, and for what."""

    grant: Grant
    words: str
    about: str
    """Name of the one object; empty for all."""


@require_GET
@administrators
def roles(request: HttpRequest) -> HttpResponse:
    """``/if/admin/roles/``"""
    query = search_text(request)
    found = narrowed(request, Role.objects.all()).filter(name__icontains=query)
    counted = found.annotate(
        user_count=Count("users", distinct=True),
        group_count=Count("groups", distinct=True),
        grant_count=Count("grants", distinct=True),
    )
    rows = page_of(request, counted.order_by("name"))
    return show_admin(request, "roles.html", section=SECTION, title=_("Roles"), rows=rows, query=query)


@require_GET
@administrators
def role(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/``"""
    return _show(request, find(uuid))


def _show(
    request: HttpRequest, shown: Role, *, holder: HolderForm | None = None, grant: GrantForm | None = None
) -> HttpResponse:
    sent = holder or grant
    return show_admin(
        request,
        "role.html",
        section=SECTION,
        title=shown.name,
        crumbs=UP,
        role=shown,
        users=shown.users.order_by("username"),
        groups=shown.groups.order_by("name"),
        permitted=[_permitted(each) for each in shown.grants.all() if each.permission in PERMISSIONS],
        holder=holder or HolderForm(),
        grant=grant or GrantForm(),
        usernames=usernames() if may_see(request, User) else [],
        status=status_of(sent) if sent is not None else 200,
    )


def _permitted(grant: Grant) -> Permitted:
    permission = PERMISSIONS[grant.permission]
    return Permitted(grant, permission.words, _name(model_of(permission.kind), grant.object_pk))


def _name(model: type[Model] | None, key: str) -> str:
    if model is None or not key:
        return ""
    try:
        return str(model._default_manager.get(pk=key))
    except (ObjectDoesNotExist, ValidationError, ValueError):
        return key


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/role/``"""
    form = RoleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create_role(Actor.of(request), name=form.cleaned_data["name"])
            return done(
                request, address(made), _("The role “%(name)s” is created. Now say what it permits.") % _of(made)
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("New role"),
        crumbs=UP,
        form=form,
        submit=_("Create role"),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/edit/``"""
    changed = find(uuid)
    form = RoleForm(request.POST if request.method == "POST" else None, initial={"name": changed.name})
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.rename_role(Actor.of(request), changed, form.cleaned_data["name"])
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(uuid)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Edit %(name)s") % _of(stored),
        crumbs=[*UP, (stored.name, address(stored))],
        form=form,
        back=address(stored),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/delete/``"""
    going = find(uuid)
    if request.method == "POST":
        actions.delete_role(Actor.of(request), going)
        return done(request, SECTION, _("The role “%(name)s” is deleted.") % _of(going))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % _of(going),
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the role “%(name)s”?") % _of(going),
        consequences=[_("Whoever held it can no longer do what only it permitted.")],
        submit=_("Delete role"),
        back=address(going),
    )


@require_POST
@administrators
def permit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/permissions/``"""
    changed, form = find(uuid), GrantForm(request.POST)
    if form.is_valid():
        with errors_at(form):
            actions.assign(Actor.of(request), changed, [form.cleaned_data["permission"]], form.cleaned_data["object"])
            return done(request, address(changed), _("Saved, and in force."))
    return _show(request, changed, grant=form)


@require_POST
@administrators
def forbid(request: HttpRequest, uuid: UUID, pk: int) -> HttpResponse:
    """``/if/admin/roles/<uuid>/permissions/<pk>/remove/``"""
    changed = find(uuid)
    grant = get_object_or_404(changed.grants, pk=pk)
    actions.unassign(Actor.of(request), changed, [grant.permission], grant.object_pk)
    return done(request, address(changed), _("Saved, and in force."))


@require_POST
@administrators
def add_holder(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/holders/``"""
    changed, form = find(uuid), HolderForm(request.POST)
    if form.is_valid():
        with errors_at(form):
            user, group = form.cleaned_data["user"], form.cleaned_data["group"]
            if user is not None:
                actions.add_user(Actor.of(request), changed, user)
            else:
                actions.add_group(Actor.of(request), changed, group)
            return done(request, address(changed), _("Saved, and in force."))
    return _show(request, changed, holder=form)


@require_POST
@administrators
def remove_user(request: HttpRequest, uuid: UUID, pk: int) -> HttpResponse:
    """``/if/admin/roles/<uuid>/users/<pk>/remove/``"""
    changed = find(uuid)
    actions.remove_user(Actor.of(request), changed, get_object_or_404(changed.users, pk=pk))
    return done(request, address(changed), _("Saved, and in force."))


@require_POST
@administrators
def remove_group(request: HttpRequest, uuid: UUID, group: UUID) -> HttpResponse:
    """``/if/admin/roles/<uuid>/groups/<group>/remove/``"""
    changed = find(uuid)
    actions.remove_group(Actor.of(request), changed, get_object_or_404(changed.groups, pk=group))
    return done(request, address(changed), _("Saved, and in force."))


def find(uuid: UUID) -> Role:
    """Raises Http404."""
    return get_object_or_404(Role, pk=uuid)


def address(of: Role) -> str:
    """Of its page."""
    return reverse("admin-role", args=[of.pk])


def _of(role: Role) -> dict[str, str]:
    return {"name": role.name}
