"""Who gains and who loses by something that lies in a file: a blueprint, or statements about how it should be."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from doorward.identity.applications.models import Application
from doorward.identity.blueprints.actions import apply_text
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.reach.changes import Difference
from doorward.identity.reach.statements import Statement, unmet
from doorward.identity.reach.world import World

Named = dict[tuple[str, str], tuple[User, Application]]
"""By names, which users and applications keep when a blueprint makes them anew."""


def by_blueprint(text: str, file: str, client_ip: str = "") -> Difference:
    """Applied, looked at, and undone. Raises Unusable (of blueprints)."""
    before = _entering(client_ip)
    with transaction.atomic():
        apply_text(Actor.system(), text, file)
        after = _entering(client_ip)
        transaction.set_rollback(True)
    return Difference(_only(after, before), _only(before, after))


def by_statements(statements: Sequence[Statement], client_ip: str = "") -> Difference:
    """What is missing for all of them to be true. Raises BadStatements for names that nothing has."""
    world = World.load(client_ip)
    gained: Named = {}
    lost: Named = {}
    for statement in statements:
        side = gained if statement.may else lost
        for user, application in unmet(world, statement):
            side[user.username, application.slug] = user, application
    return Difference(_only(gained, {}), _only(lost, {}))


def _entering(client_ip: str) -> Named:
    world = World.load(client_ip)
    named = ((world.users[user], world.applications[key]) for user, key in world.entering())
    return {(user.username, application.slug): (user, application) for user, application in named}


def _only(some: Named, others: Named) -> list[tuple[User, Application]]:
    return sorted((some[key] for key in some.keys() - others.keys()), key=lambda pair: (pair[1].slug, pair[0].username))
