"""Read applications: who may enter which."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Prefetch
from django.utils import timezone

from doorward.identity.applications.launch import NO_TILE, launch_url
from doorward.identity.applications.models import Application, Entitlement, Provider
from doorward.identity.directory.models import User
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.policies.judges import CONCRETE
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.policies.queries import judge, memberships, weighed
from doorward.identity.remembered.memory import remembered

__all__ = ["accessible", "application_by_key", "application_of_provider", "entitlements", "launch_url", "library"]


@remembered
def application_by_key(key: str) -> Application | None:
    """The application, with its provider."""
    return Application.objects.filter(pk=key).select_related("provider").first()


@remembered
def application_of_provider(key: int) -> Application | None:
    """The application that has this provider, with it."""
    return Application.objects.filter(provider_id=key).select_related("provider").first()


def accessible(
    user: User, applications: Iterable[Application] | None = None, asked: Asked = NOTHING_KNOWN
) -> list[Application]:
    """Those of ``applications`` (all by default) that the user may enter."""
    if applications is None:
        bindings = PolicyBinding.objects.filter(enabled=True).select_related("user", "group", *CONCRETE)
        applications = Application.objects.select_related("provider__oauth2provider__proxyprovider").prefetch_related(
            Prefetch("bindings", queryset=bindings)
        )
    groups = memberships(user)
    return [
        application
        for application in applications
        if judge(application.bindings.all(), application.policy_engine_mode, user, groups, asked).passing
    ]


def library(user: User, asked: Asked = NOTHING_KNOWN) -> list[Application]:
    """What the user's library shows: what they may enter, is not hidden, and leads somewhere."""
    return [
        application
        for application in accessible(user, asked=asked)
        if not application.meta_hide
        and application.meta_launch_url != NO_TILE
        and launch_url(application, user) is not None
    ]


def entitlements(user: User, provider: Provider) -> tuple[str, ...]:
    """Names of the entitlements that the user has at the application of ``provider``, in order."""
    bindings = PolicyBinding.objects.filter(enabled=True).select_related("user", "group", "policy")
    named = Entitlement.objects.filter(app__provider_id=provider.pk).prefetch_related(
        Prefetch("bindings", queryset=bindings)
    )
    now, groups = timezone.now(), None
    held = []
    for entitlement in named:
        if groups is None:
            groups = memberships(user)
        theirs = [each for each in entitlement.bindings.all() if not each.has_ended(now)]
        if any(weighed(each, user, groups).passing for each in theirs):
            held.append(entitlement.name)
    return tuple(held)
