"""The administrators' navigation: groups of places, each with its address, name and icon."""

from __future__ import annotations

from dataclasses import dataclass

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
    Places("", (Place(ROOT, "Overview", "layout-dashboard"),)),
    Places(
        "Applications",
        (
            Place(f"{ROOT}protect/", "Protect an application", "shield-plus"),
            Place(f"{ROOT}applications/", "Applications", "layout-grid"),
            Place(f"{ROOT}providers/", "Providers", "plug"),
            Place(f"{ROOT}outposts/", "Outposts", "radio-tower"),
        ),
    ),
    Places(
        "Directory",
        (
            Place(f"{ROOT}users/", "Users", "user-round"),
            Place(f"{ROOT}groups/", "Groups", "users-round"),
            Place(f"{ROOT}invitations/", "Invitations", "mail-plus"),
            Place(f"{ROOT}sessions/", "Sessions", "monitor"),
            Place(f"{ROOT}tokens/", "Tokens", "key-round"),
        ),
    ),
    Places(
        "Flows and stages",
        (
            Place(f"{ROOT}flows/", "Flows", "workflow"),
            Place(f"{ROOT}stages/", "Stages", "puzzle"),
        ),
    ),
    Places(
        "System",
        (
            Place(f"{ROOT}events/", "Events", "scroll-text"),
            Place(f"{ROOT}explain/", "Explain", "circle-question-mark"),
        ),
    ),
)
