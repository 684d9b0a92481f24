"""The administrators' navigation: groups of places, each with its address, name and icon."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext_noop

from doorward.identity.roles.queries import Powers

ROOT = "/if/admin/"


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    name: str
    icon: str


@dataclass(frozen=True, slots=True)
class Places:
    heading: str
    places: tuple[Place, ...]


NAVIGATION = (
    Places("", (Place(ROOT, gettext_noop("Overview"), "layout-dashboard"),)),
    Places(
        gettext_noop("Applications"),
        (
            Place(f"{ROOT}protect/", gettext_noop("Protect an application"), "shield-plus"),
            Place(f"{ROOT}applications/", gettext_noop("Applications"), "layout-grid"),
            Place(f"{ROOT}providers/", gettext_noop("Providers"), "plug"),
            Place(f"{ROOT}registrations/", gettext_noop("Registrations"), "plug-zap"),
            Place(f"{ROOT}outposts/", gettext_noop("Outposts"), "radio-tower"),
        ),
    ),
    Places(
        gettext_noop("Directory"),
        (
            Place(f"{ROOT}users/", gettext_noop("Users"), "user-round"),
            Place(f"{ROOT}groups/", gettext_noop("Groups"), "users-round"),
            Place(f"{ROOT}sources/", gettext_noop("Sources"), "log-in"),
            Place(f"{ROOT}roles/", gettext_noop("Roles"), "shield-user"),
            Place(f"{ROOT}invitations/", gettext_noop("Invitations"), "mail-plus"),
            Place(f"{ROOT}sessions/", gettext_noop("Sessions"), "monitor"),
            Place(f"{ROOT}tokens/", gettext_noop("Tokens"), "key-round"),
        ),
    ),
    Places(
        gettext_noop("Flows and stages"),
        (
            Place(f"{ROOT}flows/", gettext_noop("Flows"), "workflow"),
            Place(f"{ROOT}stages/", gettext_noop("Stages"), "puzzle"),
            Place(f"{ROOT}policies/", gettext_noop("Policies"), "scale"),
            Place(f"{ROOT}reach/", gettext_noop("Who can reach what"), "route"),
            Place(f"{ROOT}reputation/", gettext_noop("Reputation"), "gauge"),
        ),
    ),
    Places(
        gettext_noop("System"),
        (
            Place(f"{ROOT}keys/", gettext_noop("Keys"), "file-key"),
            Place(f"{ROOT}brands/", gettext_noop("Brands"), "palette"),
            Place(f"{ROOT}letters/", gettext_noop("Letters"), "mail"),
            Place(f"{ROOT}blueprints/", gettext_noop("Blueprints"), "file-code"),
            Place(f"{ROOT}events/", gettext_noop("Events"), "scroll-text"),
            Place(f"{ROOT}notifications/", gettext_noop("Notifications"), "bell"),
            Place(f"{ROOT}settings/", gettext_noop("Settings"), "sliders-horizontal"),
            Place(f"{ROOT}explain/", gettext_noop("Explain"), "circle-question-mark"),
        ),
    ),
)


def navigation(held: Powers) -> tuple[Places, ...]:
    """The places that whoever has these powers may go to."""
    from doorward.identity.web.pages.needs import may_go

    if held.everything:
        return NAVIGATION
    open_to = [
        replace(group, places=tuple(place for place in group.places if may_go(held, place.address)))
        for group in NAVIGATION
    ]
    return tuple(group for group in open_to if group.places)
