"""Access tests: statements that are kept in a file, and what is true of them."""

from __future__ import annotations

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import create_group
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.reach import statements
from doorward.identity.reach.statements import BadStatements, Outcome

pytestmark = pytest.mark.django_db


def judged(text: str) -> list[Outcome]:
    return statements.judge(statements.read("version: 1\naccess:\n" + text))


@pytest.mark.parametrize(
    ("text", "is_true", "reason"),
    [
        ("- {user: bob, may: whoami}", True, "bob is a member of the group “staff”"),
        ("- {user: mallory, may_not: whoami}", True, "mallory is not a member of the group “staff”"),
        ("- {user: mallory, may: whoami}", False, "mallory is not a member of the group “staff”"),
        ("- {group: staff, may: whoami}", True, "bob: bob is a member of the group “staff”"),
        ("- {group: empty, may: whoami}", False, "a new member: a new member is not a member of the group “staff”"),
        ("- {group: empty, may_not: whoami}", True, "a new member: a new member is not a member of the group “staff”"),
        ("- {user: nobody, may: whoami}", False, "There is no user “nobody”"),
        ("- {group: none, may_not: whoami}", False, "There is no group “none”"),
        ("- {user: bob, may_not: nothing}", False, "There is no application “nothing”"),
        ("- {user: mallory, may: whoami, path: /public/x}", True, "The path /public/x is open to everybody"),
        ("- {user: mallory, may_not: whoami, path: /public/x}", False, "The path /public/x is open to everybody"),
        (
            "- {user: mallory, may_not: whoami, path: /public/admin}",
            True,
            "mallory is not a member of the group “staff”",
        ),
        ("- {user: bob, may: whoami, path: /x}", True, "bob is a member of the group “staff”"),
    ],
)
def test_statements(
    whoami: Application, bob: User, mallory: User, staff: Group, text: str, is_true: bool, reason: str
) -> None:
    """Users, groups, paths; what does not exist is never true."""
    create_group(Actor.system(), name="empty")
    guarded = [{"path": "^/public/admin", "factor": "mfa", "max_age": "", "machines": False}]
    ProxyProvider.objects.update(skip_path_regex="^/public/", step_up_rules=guarded)

    (outcome,) = judged(text)

    assert (outcome.is_true, outcome.reason) == (is_true, reason)


def test_lines_are_those_of_the_file(whoami: Application, bob: User, mallory: User) -> None:
    """One statement for each application that is named."""
    outcomes = judged("  # a remark\n  - user: bob\n    may:\n      - whoami\n      - wiki\n")

    assert [(each.statement.line, each.is_true) for each in outcomes] == [(6, True), (7, False)]
    assert str(outcomes[1].statement) == "user bob may reach wiki"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file must be a mapping"),
        ("access: []", "begin with version: 1"),
        ("version: 2\naccess: []", "begin with version: 1"),
        ("version: 1", "a list of statements"),
        ("version: 1\naccess:\n- {user: bob}", "line 3: a statement has"),
        ("version: 1\naccess:\n- {user: bob, may: a, may_not: b}", "line 3: a statement has"),
        ("version: 1\naccess:\n- {user: bob, group: x, may: a}", "line 3: a statement has"),
        ("version: 1\naccess:\n- {user: bob, mai: a}", "line 3: “mai” is not known"),
        ("version: 1\naccess:\n- {user: bob, user: eve, may: a}", "line 3: “user” stands there twice"),
        ("version: 1\naccess:\n- {user: bob, may: a, path: x}", "line 3: a path begins"),
        ("version: 1\naccess:\n- {user: [bob], may: a}", "line 3: a text was expected"),
        ("version: 1\naccess:\n- {user: bob, may: []}", "line 3: name at least one"),
        ("version: 1\naccess:\n- {user: bob", "this is no YAML"),
        ("version: 1\naccess: !!python/object/apply:os.system [ls]", "line"),
    ],
)
def test_what_is_no_file_of_statements(text: str, problem: str) -> None:
    """The line, and what was expected; a misspelt word is never passed over."""
    # S-611
    with pytest.raises(BadStatements, match=problem):
        statements.read(text)
