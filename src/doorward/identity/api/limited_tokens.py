"""The one door at which limited tokens are asked what they are for (``directory.limits``); everything else in the API
knows tokens of users only.

Closed unless opened: a path that no part of the token's covers is refused, whatever it is, and so is every method that
could change something, of a token that only reads. What only superusers may write (flows, policies, brands,
certificates …) no limited token writes: whoever may can log in as anybody.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import get_resolver
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from doorward.identity.api.permissions import SAFE, Permitted, SuperuserOnly, needed
from doorward.identity.api.urls import ROUTES
from doorward.identity.directory.limits import Limits
from doorward.identity.directory.models import Token
from doorward.identity.events.subjects import labels

BASE = "/api/v3/"


def require_opened(request: Request, token: Token) -> None:
    """Raise PermissionDenied for what ``token`` is not for."""
    limits = token.limits
    if limits is None:
        return
    if not limits.opens(request._request.path.removeprefix(BASE)):
        raise PermissionDenied(f"This token is for {', '.join(limits.resources)} only.")
    if request.method in SAFE:
        return
    if limits.read_only:
        raise PermissionDenied("This token only reads.")
    view = (request.parser_context or {}).get("view")
    if view is None or _is_for_superusers(view):
        raise PermissionDenied("A limited token does nothing that only superusers may.")


def _is_for_superusers(view: Any) -> bool:
    """Whether a role could not permit it. What everybody does with what is theirs needs no permission."""
    asked = view.get_permissions()
    return any(isinstance(each, SuperuserOnly) for each in asked) or (
        any(isinstance(each, Permitted) for each in asked) and needed(view) is None
    )


def known(resource: str) -> bool:
    """Whether there is such a part of the API."""
    inside = f"{resource.strip('/')}/"
    return any(f"{path}/".startswith(inside) for path in _paths())


def shows(limits: Limits | None, app: str, model_name: str) -> bool:
    """Whether objects of this kind, by the names that events and ``used_by`` have for it, are among what is opened."""
    return limits is None or any(map(limits.opens, _resources().get((app, model_name), ())))


@cache
def _paths() -> frozenset[str]:
    """All that is below ``/api/v3/``, without slashes at the ends and what stands for keys."""
    patterns = (str(each.pattern).lstrip("^") for each in get_resolver(ROUTES).url_patterns)
    return frozenset(pattern.partition("(")[0].partition("<")[0].rstrip("$/") for pattern in patterns) - {""}


@cache
def _resources() -> dict[tuple[str, str], set[str]]:
    """Where objects of a kind are found."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in get_resolver(ROUTES).url_patterns:
        queryset = getattr(getattr(each.callback, "cls", None), "queryset", None)
        if queryset is not None:
            path = str(each.pattern).lstrip("^").partition("(")[0].rstrip("$/")
            found.setdefault(labels(queryset.model), set()).add(path)
    return found
