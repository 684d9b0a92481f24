"""What somebody began and did not finish, so that an application is not protected, or nobody can open it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse

from doorward.identity.applications.models import Application, Provider
from doorward.identity.outposts.models import ProxyProvider

MOST = 20
"""Of each kind; more would bury the rest of the page."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One thing, and the page that puts it right."""

    text: str
    address: str
    action: str


def forgotten_steps() -> list[Forgotten]:
    """The most harmful first."""
    return [*_not_on_an_outpost(), *_without_application(), *_claimed_twice(), *_leading_nowhere()]


def _not_on_an_outpost() -> list[Forgotten]:
    found = ProxyProvider.objects.filter(application__isnull=False, outposts__isnull=True).select_related("application")
    return [
        Forgotten(
            f"“{provider.application.name}” is not protected: no outpost serves it.",
            reverse("admin-outposts"),
            "Choose it on an outpost",
        )
        for provider in found[:MOST]
    ]


def _without_application() -> list[Forgotten]:
    return [
        Forgotten(
            f"Nobody can use the provider “{provider.name}”: no application has it.",
            f"{reverse('admin-new-application')}?provider={provider.pk}",
            "Create an application for it",
        )
        for provider in Provider.objects.filter(application__isnull=True)[:MOST]
    ]


def _claimed_twice() -> list[Forgotten]:
    served = ProxyProvider.objects.filter(application__isnull=False, outposts__isnull=False)
    twice = served.values("external_host", "mode").annotate(times=Count("pk", distinct=True)).filter(times__gt=1)
    return [
        Forgotten(
            f"{row['times']} applications claim {row['external_host']}: only one of them is asked.",
            reverse("admin-providers"),
            "Change or delete a provider",
        )
        for row in twice.order_by("external_host")[:MOST]
    ]


def _leading_nowhere() -> list[Forgotten]:
    found = Application.objects.filter(provider__isnull=True, meta_launch_url="")
    return [
        Forgotten(
            f"“{application.name}” leads nowhere: it has neither a provider nor a start page.",
            reverse("admin-application-edit", args=[application.slug]),
            "Edit it",
        )
        for application in found[:MOST]
    ]
