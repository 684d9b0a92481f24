"""Files that somebody thinks about: who gains and who loses by them, and nothing is kept."""

from __future__ import annotations

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.directory.models import Group, User
from doorward.identity.events.models import Event
from doorward.identity.reach.changes import Difference
from doorward.identity.reach.proposals import by_blueprint, by_statements
from doorward.identity.reach.statements import BadStatements, read

pytestmark = pytest.mark.django_db

BLUEPRINT = """
version: 1
entries:
  - model: authentik_core.user
    identifiers: {username: carol}
    attrs: {name: Carol, groups: [!Find [authentik_core.group, [name, staff]]]}
  - model: authentik_core.group
    identifiers: {name: staff}
    attrs: {users: []}
  - model: authentik_core.application
    identifiers: {slug: wiki}
    attrs: {name: Wiki}
"""


def names(found: Difference) -> tuple[list[str], list[str]]:
    gained, lost = ([f"{user}/{application.slug}" for user, application in side] for side in (found.gained, found.lost))
    return gained, lost


def test_a_blueprint_is_applied_and_undone(
    flows: None, whoami: Application, bob: User, akadmin: User, staff: Group
) -> None:
    """New applications count, and what groups lose; the database is as before, without an event."""
    before = (Event.objects.count(), User.objects.count(), Application.objects.count())

    gained, lost = names(by_blueprint(BLUEPRINT, "wiki.yaml"))

    assert {"akadmin/wiki", "bob/wiki", "carol/wiki"} <= set(gained)
    assert lost == ["bob/whoami"]
    assert before == (Event.objects.count(), User.objects.count(), Application.objects.count())
    assert bob.groups.filter(pk=staff.pk).exists()
    with pytest.raises(Unusable):
        by_blueprint("version: 1\nentries: [{model: nothing.atall}]", "wrong.yaml")


def test_statements_say_who_is_missing(whoami: Application, bob: User, mallory: User) -> None:
    """Everybody for whom one is not true, each once."""
    text = "version: 1\naccess:\n  - {user: mallory, may: whoami}\n  - {group: staff, may_not: whoami}\n"

    assert names(by_statements(read(text))) == (["mallory/whoami"], ["bob/whoami"])
    assert names(by_statements(read("version: 1\naccess:\n  - {user: bob, may: whoami}\n"))) == ([], [])
    with pytest.raises(BadStatements, match=r"line 3: there is no application “wiki”"):
        by_statements(read("version: 1\naccess:\n  - {user: bob, may: wiki}\n"))
