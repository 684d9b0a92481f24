"""What somebody began and did not finish, so that an application is not protected, or nobody can open it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

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
            _("“%(name)s” is not protected: no outpost serves it.") % {"name": provider.application.name},
            reverse("admin-outposts"),
            _("Choose it on an outpost"),
        )
        for provider in found[:MOST]
    ]


def _without_application() -> list[Forgotten]:
    return [
        Forgotten(
            _("Nobody can use the provider “%(name)s”: no application has it.") % {"name": provider.name},
            f"{reverse('admin-new-application')}?provider={provider.pk}",
            _("Create an application for it"),
        )
        for provider in Provider.objects.filter(application__isnull=True)[:MOST]
    ]


def _claimed_twice() -> list[Forgotten]:
    served = ProxyProvider.objects.filter(application__isnull=False, outposts__isnull=False)
    twice = served.values("external_host", "mode").annotate(times=Count("pk", distinct=True)).filter(times__gt=1)
    return [
        Forgotten(
            _("%(times)s applications claim %(external_host)s: only one of them is asked.")
            % {"times": row["times"], "external_host": row["external_host"]},
            reverse("admin-providers"),
            _("Change or delete a provider"),
        )
        for row in twice.order_by("external_host")[:MOST]
    ]


def _leading_nowhere() -> list[Forgotten]:
    found = Application.objects.filter(provider__isnull=True, meta_launch_url="")
    return [
        Forgotten(
            _("“%(name)s” leads nowhere: it has neither a provider nor a start page.") % {"name": application.name},
            reverse("admin-application-edit", args=[application.slug]),
            _("Edit it"),
        )
        for application in found[:MOST]
    ]
