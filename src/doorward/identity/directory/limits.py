"""What a token is limited to: reading, and parts of the API.

A limited token never leads to anything wider than itself. What it opens is decided at the API's door
(``api.limited_tokens``); what it may not make, whoever its user is, is decided by the actions: no password, recovery
link, factor or app password, no token that is wider or lasts longer (``require_unlimited``, ``Limits.cover``), no
group or role that permits something (``roles.guard``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from doorward.identity.events.actor import Actor

AREAS = {
    "core/users": gettext_lazy("Users"),
    "core/groups": gettext_lazy("Groups"),
    "rbac": gettext_lazy("Roles and permissions"),
    "core/tokens": gettext_lazy("Tokens"),
    "core/authenticated_sessions": gettext_lazy("Logins"),
    "core/user_consent": gettext_lazy("Consents"),
    "authenticators": gettext_lazy("Second factors"),
    "core/applications": gettext_lazy("Applications"),
    "core/application_entitlements": gettext_lazy("Entitlements within applications"),
    "core/transactional": gettext_lazy("Applications with their providers, in one step"),
    "providers": gettext_lazy("Providers"),
    "propertymappings": gettext_lazy("Property mappings"),
    "outposts": gettext_lazy("Outposts"),
    "policies": gettext_lazy("Policies and bindings"),
    "flows": gettext_lazy("Flows"),
    "stages": gettext_lazy("Stages and invitations"),
    "sources": gettext_lazy("Sources"),
    "events": gettext_lazy("Events and notifications"),
    "core/brands": gettext_lazy("Brands"),
    "crypto": gettext_lazy("Certificates"),
    "managed": gettext_lazy("Blueprints"),
    "doorward": gettext_lazy("Requests for access, decisions and sessions of outposts, who can reach what"),
    "admin": gettext_lazy("Settings, version and system"),
    "root": gettext_lazy("What clients are told at their start"),
}
"""The parts of the API by which people choose; together they are all of it. A token may be for less than one."""
MOST = 50
_RESOURCE = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+){0,4}")


@dataclass(frozen=True, slots=True)
class Limits:
    read_only: bool
    resources: tuple[str, ...]
    """Paths below ``/api/v3/``, each with all that is below it; empty: everything."""
    ends: datetime | None

    def opens(self, resource: str) -> bool:
        """Whether this path below ``/api/v3/`` is among those that the token is for."""
        inside = f"{resource.strip('/')}/"
        return not self.resources or any(inside.startswith(f"{each}/") for each in self.resources)

    def cover(self, read_only: bool, resources: tuple[str, ...], ends: datetime | None) -> bool:
        """Whether a token of these limits could do nothing, and never, that this one could not."""
        narrower = not self.resources or (bool(resources) and all(map(self.opens, resources)))
        sooner = self.ends is None or (ends is not None and ends <= self.ends)
        return (read_only or not self.read_only) and narrower and sooner


def cleaned(resources: Iterable[str]) -> str:
    """As a token keeps them: sorted, each once, none that another one holds. Raises ValidationError."""
    asked = sorted({each.strip("/") for each in resources})
    if len(asked) > MOST or not all(len(each) <= 100 and _RESOURCE.fullmatch(each) for each in asked):
        raise ValidationError({"resources": [_("A part of the API is a path like core/users; there may be 50.")]})
    return " ".join(each for each in asked if not any(each.startswith(f"{other}/") for other in asked))


def require_unlimited(actor: Actor) -> None:
    """Raise PermissionDenied where a limited token would get hold of something that proves who somebody is."""
    if actor.limits is not None:
        raise PermissionDenied("A limited token makes and sees no password, link, factor or secret.")
