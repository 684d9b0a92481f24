"""Groups: list, create, change, delete, and their members."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from doorward.identity.applications.models import Application
from doorward.identity.directory import actions
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.reach.changes import GroupDeleted, warnings
from doorward.identity.roles.queries import inherited_by
from doorward.identity.web.forms.people import GroupForm, MemberForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.doers import who_may
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.needs import may_see, narrowed
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}groups/"
UP: list[Crumb] = [(gettext_lazy("Groups"), SECTION)]


@require_GET
@administrators
def groups(request: HttpRequest) -> HttpResponse:
    """``/if/admin/groups/``"""
    query = search_text(request)
    found = (
        narrowed(request, Group.objects.all())
        .filter(name__icontains=query)
        .annotate(members=Count("users"))
        .order_by("name")
    )
    rows = page_of(request, found.prefetch_related("parents"))
    return show_admin(request, "groups.html", section=SECTION, title="Groups", rows=rows, query=query)


@require_GET
@administrators
def group(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/groups/<uuid>/``"""
    return _show(request, find(uuid), MemberForm())


def _show(request: HttpRequest, shown: Group, form: MemberForm, *, problem: str = "") -> HttpResponse:
    return show_admin(
        request,
        "group.html",
        section=SECTION,
        title=shown.name,
        crumbs=UP,
        group=shown,
        parents=shown.parents.all(),
        children=shown.children.all(),
        applications=Application.objects.filter(bindings__group=shown).distinct(),
        rows=page_of(request, shown.users.order_by("username")),
        roles=shown.roles.all(),
        inherited_roles=inherited_by(shown),
        doers=who_may(shown),
        form=form,
        usernames=usernames() if may_see(request, User) else [],
        problem=problem,
        status=409 if problem else status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/group/``"""
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create_group(Actor.of(request), **form.cleaned_data)
            return done(request, address(made), _("The group “%(made)s” is created.") % {"made": made})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New group",
        crumbs=UP,
        form=form,
        submit="Create group",
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/groups/<uuid>/edit/``"""
    changed = find(uuid)
    form = GroupForm(request.POST if request.method == "POST" else None, group=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update_group(Actor.of(request), changed, **form.cleaned_data)
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(uuid)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Edit %(name)s") % {"name": stored.name},
        crumbs=[*UP, (stored.name, address(stored))],
        form=form,
        back=address(stored),
        status=status_of(form),
    )


@require_POST
@administrators
def add_member(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/groups/<uuid>/members/``"""
    joined, form = find(uuid), MemberForm(request.POST)
    if form.is_valid():
        with errors_at(form):
            user = form.cleaned_data["user"]
            actions.add_member(Actor.of(request), joined, user)
            return done(request, address(joined), _("%(user)s is a member now.") % {"user": user})
    return _show(request, joined, form)


@require_POST
@administrators
def remove_member(request: HttpRequest, uuid: UUID, pk: int) -> HttpResponse:
    """``/if/admin/groups/<uuid>/members/<pk>/remove/``"""
    left = find(uuid)
    user = get_object_or_404(left.users, pk=pk)
    try:
        actions.remove_member(Actor.of(request), left, user)
    except Refused as refused:
        return _show(request, left, MemberForm(), problem=str(refused))
    return done(request, address(left), _("%(user)s is no longer a member.") % {"user": user})


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/groups/<uuid>/delete/``"""
    going, problem = find(uuid), ""
    if request.method == "POST":
        name = going.name
        try:
            actions.delete_group(Actor.of(request), going)
            return done(request, SECTION, _("The group “%(name)s” is deleted.") % {"name": name})
        except Refused as refused:
            going, problem = find(uuid), str(refused)  # the object has lost its key in the attempt
    members, bound = going.users.count(), Application.objects.filter(bindings__group=going).distinct()
    stays = ngettext(
        "Its %(count)s member stays, without what the group gave them.",
        "Its %(count)s members stay, without what the group gave them.",
        members,
    )
    lines = [stays % {"count": members}]
    lines += [f"“{application}” no longer names it among who may enter." for application in bound]
    lines += warnings(GroupDeleted(going), named=may_see(request, User))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the group “%(name)s”?") % {"name": going.name},
        consequences=lines,
        submit="Delete group",
        back=address(going),
        problem=problem,
        status=409 if problem else 200,
    )


def find(uuid: UUID) -> Group:
    """Raises Http404."""
    return get_object_or_404(Group, pk=uuid)


def address(of: Group) -> str:
    """Of its page."""
    return reverse("admin-group", args=[of.pk])
