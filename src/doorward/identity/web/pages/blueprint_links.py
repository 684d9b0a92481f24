"""Which pages are about one object that can be had as a blueprint, and where that is."""

from __future__ import annotations

from typing import NamedTuple

from django.apps import apps
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse


class Shown(NamedTuple):
    kind: str
    model: str
    """Django's label; a base model stands for all its kinds."""
    argument: str
    """Of the page's address, and the field that it holds."""


PAGES = {
    "admin-application": Shown("application", "applications.Application", "slug"),
    "admin-provider": Shown("provider", "applications.Provider", "pk"),
    "admin-outpost": Shown("outpost", "outposts.Outpost", "uuid"),
    "admin-user": Shown("user", "directory.User", "pk"),
    "admin-group": Shown("group", "directory.Group", "uuid"),
    "admin-role": Shown("role", "roles.Role", "uuid"),
    "admin-flow": Shown("flow", "flows.Flow", "slug"),
    "admin-stage": Shown("stage", "stages.Stage", "uuid"),
    "admin-prompt": Shown("prompt", "stages.Prompt", "uuid"),
    "admin-policy": Shown("policy", "policies.Policy", "uuid"),
    "admin-source": Shown("source", "sources.Source", "slug"),
    "admin-directory": Shown("directory", "sources_ldap.LDAPSource", "slug"),
    "admin-notification-rule": Shown("rule", "notifications.Rule", "uuid"),
    "admin-notification-transport": Shown("transport", "notifications.Transport", "uuid"),
    "admin-brand": Shown("brand", "brands.Brand", "uuid"),
}
KINDS = {shown.kind: shown for shown in PAGES.values()}


def blueprint_address(request: HttpRequest) -> str:
    """Where the object of this page can be had as a blueprint; empty for a page about nothing of the kind."""
    match = request.resolver_match
    shown = PAGES.get(match.url_name or "") if match is not None else None
    if match is None or shown is None or shown.argument not in match.kwargs:
        return ""
    return reverse("admin-blueprint-of", args=[shown.kind, match.kwargs[shown.argument]])


def object_called(kind: str, key: str) -> Model | None:
    """The object of such an address."""
    shown = KINDS.get(kind)
    if shown is None:
        return None
    model = apps.get_model(shown.model)
    field = "slug" if shown.argument == "slug" else "pk"
    try:
        found: Model | None = model._default_manager.filter(**{field: key}).first()
    except (ValueError, TypeError):
        return None
    return found


def page_of(kind: str, key: str) -> str:
    """Where the object itself is shown."""
    name = next(name for name, shown in PAGES.items() if shown.kind == kind)
    return reverse(name, args=[key])
