"""Which permission opens which page of the administrators: the one table, read by ``access.administrators``.

A page that does not stand here is for superusers. A page about one object is open to whoever holds the permission for
it; a list is open to whoever holds it for anything, and shows what it is held for (``narrowed``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Token
from doorward.identity.logins.queries import current
from doorward.identity.roles import catalogue
from doorward.identity.roles.catalogue import ADMIN_PAGES
from doorward.identity.roles.queries import NONE, Powers, asking

M = TypeVar("M", bound=Model)
LIST = "*"
"""Instead of the name of an argument: held for anything."""


class Need(NamedTuple):
    permission: str
    about: str = ""
    """The argument of the address that names the object; empty where it must be held for everything."""


def _core(codename: str, about: str = "") -> Need:
    return Need(f"authentik_core.{codename}", about)


_USER = "change_user"
_OIDC = "authentik_providers_oauth2.{}_oauth2provider"
_PROXY = "authentik_providers_proxy.{}_proxyprovider"
NEEDS = {
    "admin": Need(ADMIN_PAGES),
    "admin-applications": _core("view_application", LIST),
    "admin-application": _core("view_application", "slug"),
    "admin-application-edit": _core("change_application", "slug"),
    "admin-application-offer": _core("change_application", "slug"),
    "admin-new-entitlement": _core("change_application", "slug"),
    "admin-entitlement": _core("change_application", "slug"),
    "admin-entitlement-delete": _core("change_application", "slug"),
    "admin-entitlement-holder-add": _core("change_application", "slug"),
    "admin-entitlement-holder-remove": _core("change_application", "slug"),
    "admin-binding-add": _core("change_application", "slug"),
    "admin-binding-edit": _core("change_application", "slug"),
    "admin-binding-remove": _core("change_application", "slug"),
    "admin-new-application": _core("add_application"),
    "admin-providers": _core("view_provider"),
    "admin-provider": _core("view_provider", "pk"),
    "admin-proxy-provider-edit": Need(_PROXY.format("change"), "pk"),
    "admin-open-paths": Need(_PROXY.format("change"), "pk"),
    "admin-oauth2-provider-edit": Need(_OIDC.format("change"), "pk"),
    "admin-new-proxy-provider": Need(_PROXY.format("add")),
    "admin-outposts": Need("authentik_outposts.view_outpost"),
    "admin-users": _core("view_user", LIST),
    "admin-user": _core("view_user", "pk"),
    "admin-user-edit": _core(_USER, "pk"),
    "admin-user-password": _core("reset_user_password", "pk"),
    "admin-user-recovery": _core("reset_user_password", "pk"),
    "admin-user-deactivate": _core(_USER, "pk"),
    "admin-user-activate": _core(_USER, "pk"),
    "admin-user-delete": _core("delete_user", "pk"),
    "admin-user-impersonate": _core("impersonate", "pk"),
    "admin-user-logins-end": _core("delete_authenticatedsession"),
    "admin-user-login-end": _core("delete_authenticatedsession"),
    "admin-new-user": _core("add_user"),
    "admin-new-service-account": _core("add_user"),
    "admin-users-import": _core("add_user"),
    "admin-users-export": _core("view_user", LIST),
    "admin-groups": _core("view_group", LIST),
    "admin-group": _core("view_group", "uuid"),
    "admin-group-edit": _core("change_group", "uuid"),
    "admin-group-delete": _core("delete_group", "uuid"),
    "admin-member-add": _core("add_user_to_group", "uuid"),
    "admin-member-remove": _core("remove_user_from_group", "uuid"),
    "admin-new-group": _core("add_group"),
    "admin-roles": Need("authentik_rbac.view_role", LIST),
    "admin-role": Need("authentik_rbac.view_role", "uuid"),
    "admin-role-edit": Need("authentik_rbac.change_role", "uuid"),
    "admin-role-delete": Need("authentik_rbac.delete_role", "uuid"),
    "admin-role-permissions": Need("authentik_rbac.assign_role_permissions", "uuid"),
    "admin-role-grant-remove": Need("authentik_rbac.unassign_role_permissions", "uuid"),
    "admin-role-holder-add": Need("authentik_rbac.change_role", "uuid"),
    "admin-role-user-remove": Need("authentik_rbac.change_role", "uuid"),
    "admin-role-group-remove": Need("authentik_rbac.change_role", "uuid"),
    "admin-new-role": Need("authentik_rbac.add_role"),
    "admin-invitations": Need("authentik_stages_invitation.view_invitation"),
    "admin-invitation-delete": Need("authentik_stages_invitation.delete_invitation", "uuid"),
    "admin-new-invitation": Need("authentik_stages_invitation.add_invitation"),
    "admin-sessions": _core("view_authenticatedsession"),
    "admin-login-end": _core("delete_authenticatedsession", "uuid"),
    "admin-session-end": _core("delete_authenticatedsession"),
    "admin-tokens": _core("view_token", LIST),
    "admin-token-delete": _core("delete_token", "identifier"),
    "admin-events": Need("authentik_events.view_event"),
    "admin-events-export": Need("authentik_events.view_event"),
    "admin-events-record": Need("authentik_events.view_event"),
    "admin-event": Need("authentik_events.view_event", "uuid"),
}


def powers(request: HttpRequest) -> Powers:
    """What whoever sees the page may do, read once per request."""
    login = current(request)
    return asking(request, login.user) if login is not None and login.user is not None else NONE


def may_open(held: Powers, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the page of this name, with these arguments in its address, is open to ``held``."""
    if held.everything:
        return True
    need = NEEDS.get(name)
    if need is None or not held.may(ADMIN_PAGES):
        return False
    if need.about == LIST:
        return held.may_somewhere(need.permission)
    return held.may(need.permission) or bool(need.about and held.may(need.permission, _key(need.about, arguments)))


class Openable:
    """For templates: ``may.admin_user_edit`` says whether that page is open, about the object of the page shown."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        match = self._request.resolver_match
        return may_open(powers(self._request), name.replace("_", "-"), match.kwargs if match is not None else {})


def may_go(held: Powers, address: str) -> bool:
    """The same about an address of this site, for the navigation."""
    if held.everything:
        return True
    try:
        found = resolve(address)
    except Resolver404:
        return False
    return may_open(held, found.url_name or "", found.kwargs)


def narrowed(request: HttpRequest, objects: QuerySet[M]) -> QuerySet[M]:
    """Those among ``objects`` that whoever sees the page may see."""
    return powers(request).narrowed(objects, catalogue.named("view", objects.model))


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Whether all of this kind are theirs to see: for parts of a page about something else."""
    return powers(request).may(catalogue.named("view", model))


def _key(about: str, arguments: Mapping[str, Any]) -> str:
    value = arguments.get(about, "")
    if about == "slug":
        value = Application.objects.filter(slug=value).values_list("pk", flat=True).first() or ""
    if about == "identifier":
        value = Token.objects.filter(identifier=value).values_list("pk", flat=True).first() or ""
    return str(value)
