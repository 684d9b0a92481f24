"""What ``doorward access`` asks: the simulator of the administrators' pages, for whoever owns the state folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from doorward.assembly.django_alone import Unusable, ready
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan

if TYPE_CHECKING:
    from doorward.identity.reach.changes import Difference
    from doorward.identity.reach.world import World

__all__ = ["Narrowed", "Reached", "Unusable", "now", "under_blueprint", "under_statements"]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """About whom, and from where; None: about all."""

    user: str | None
    application: str | None
    """Its slug."""
    client_ip: str = ""

    def meets(self, user: str, application: str) -> bool:
        return self.user in (None, user) and self.application in (None, application)


@dataclass(frozen=True, slots=True)
class Reached:
    user: str
    application: str
    outcome: str
    """``yes``, ``no``, ``gains`` or ``loses``."""
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def now(plan: Plan, folder: StateFolder, who: Narrowed, *, denied: bool) -> list[Reached]:
    """Who reaches what, by application and user; with ``denied`` who does not as well. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.reach.world import World

        world = World.load(who.client_ip)
        _require_known(world, who)
        users = [key for key, each in world.users.items() if who.user in (None, each.username)]
        applications = [key for key, each in world.applications.items() if who.application in (None, each.slug)]
        entering = world.entering(users, applications)
        return [
            Reached(
                world.users[user].username,
                world.applications[key].slug,
                "yes" if (user, key) in entering else "no",
                world.why(key, user)[1],
            )
            for key in applications
            for user in users
            if denied or (user, key) in entering
        ]


def under_blueprint(plan: Plan, folder: StateFolder, who: Narrowed, text: str, file: str) -> list[Reached]:
    """Who would gain and who would lose what by it. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.reach import proposals

        return _rows(proposals.by_blueprint(text, file, who.client_ip), who)


def under_statements(plan: Plan, folder: StateFolder, who: Narrowed, text: str, file: str) -> list[Reached]:
    """Who would have to gain and to lose what for the statements to be true. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.reach import proposals, statements

        try:
            return _rows(proposals.by_statements(statements.read(text), who.client_ip), who)
        except statements.BadStatements as error:
            raise Unusable(f"{file}: {error}") from error


def _rows(found: Difference, who: Narrowed) -> list[Reached]:
    sides = [("loses", found.lost), ("gains", found.gained)]
    return [
        Reached(user.username, application.slug, outcome)
        for outcome, pairs in sides
        for user, application in pairs
        if who.meets(user.username, application.slug)
    ]


def _require_known(world: World, who: Narrowed) -> None:
    if who.user is not None and not any(each.username == who.user for each in world.users.values()):
        raise Unusable(f"There is no user “{who.user}”.")
    if who.application is not None and not any(each.slug == who.application for each in world.applications.values()):
        raise Unusable(f"There is no application with the slug “{who.application}”.")
