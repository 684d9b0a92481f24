"""Access tests that are kept with the configuration: statements about who reaches what, and whether they are true.

    version: 1
    access:
      - user: bob
        may: whoami
      - group: staff
        may: [whoami, wiki]
      - user: mallory
        may_not: wiki
        path: /public

A group is all of its members who are not deactivated, inherited ones included; one without members is whoever would be
its first. With ``path`` the proxy provider's unauthenticated paths count: what is open to everybody is open to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import yaml

from doorward.config.skip_rules import Opening, SkipRules
from doorward.config.step_up_rules import StepUpRules
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.step_up import described
from doorward.identity.reach.world import World

LARGEST = 1_048_576
"""Characters of a file."""
_KEYS = {"user", "group", "may", "may_not", "path"}


class BadStatements(Exception):
    """The file is none; the text names the line."""


@dataclass(frozen=True, slots=True)
class Statement:
    line: int
    kind: str
    """``user`` or ``group``."""
    who: str
    may: bool
    application: str
    """Its slug."""
    path: str = ""

    def __str__(self) -> str:
        verb = "may reach" if self.may else "may not reach"
        return f"{self.kind} {self.who} {verb} {self.application}{self.path}"


@dataclass(frozen=True, slots=True)
class Outcome:
    statement: Statement
    is_true: bool
    reason: str
    """The rule that decides, of the first user of whom it is not true."""


def read(text: str) -> list[Statement]:
    """The statements of a file. Raises BadStatements."""
    if len(text) > LARGEST:
        raise BadStatements("the file is too large")
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadStatements(f"{where}this is no YAML: {getattr(error, 'problem', error)}") from error
    top = _mapping(root, "the file", {"version", "access"})
    if "version" not in top or _text(top["version"]) != "1":
        raise BadStatements("line 1: begin with version: 1")
    rows = top.get("access")
    if not isinstance(rows, yaml.SequenceNode):
        raise BadStatements("access must be a list of statements")
    return [statement for row in rows.value for statement in _statements(row)]


def _statements(row: yaml.Node) -> list[Statement]:
    fields = _mapping(row, "a statement", _KEYS)
    line = row.start_mark.line + 1
    who = [name for name in ("user", "group") if name in fields]
    verbs = [name for name in ("may", "may_not") if name in fields]
    if len(who) != 1 or len(verbs) != 1:
        raise BadStatements(f"line {line}: a statement has user or group, and may or may_not")
    path = _text(fields["path"]) if "path" in fields else ""
    if path and not path.startswith("/"):
        raise BadStatements(f"line {line}: a path begins with /")
    node = fields[verbs[0]]
    named = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not named:
        raise BadStatements(f"line {line}: name at least one application")
    return [
        Statement(each.start_mark.line + 1, who[0], _text(fields[who[0]]), verbs[0] == "may", _text(each), path)
        for each in named
    ]


def _mapping(node: yaml.Node | None, what: str, known: set[str]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node is not None else 1
        raise BadStatements(f"line {line}: {what} must be a mapping")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name not in known or name in found:
            problem = "stands there twice" if name in found else f"is not known; there are {', '.join(sorted(known))}"
            raise BadStatements(f"line {key.start_mark.line + 1}: “{name}” {problem}")
        found[name] = value
    return found


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        raise BadStatements(f"line {node.start_mark.line + 1}: a text was expected")
    return str(node.value)


def judge(statements: list[Statement], client_ip: str = "") -> list[Outcome]:
    """What is true of them now."""
    world = World.load(client_ip)
    slugs = {application.slug: key for key, application in world.applications.items()}
    names = {user.username: pk for pk, user in world.users.items()}
    return [_outcome(world, statement, slugs, names) for statement in statements]


def unmet(world: World, statement: Statement) -> list[tuple[User, Application]]:
    """Of whom it is not true. Raises BadStatements where there is no such user, group or application."""
    keys = [key for key, each in world.applications.items() if each.slug == statement.application]
    people = _people(world, statement, {user.username: pk for pk, user in world.users.items()})
    if not keys or people is None:
        kind, name = ("application", statement.application) if not keys else (statement.kind, statement.who)
        raise BadStatements(f"line {statement.line}: there is no {kind} “{name}”")
    application = world.applications[keys[0]]
    if statement.path and _opening(application, statement.path) is not Opening.SHUT:
        return []  # no binding has to do with it
    wrong = [pk for pk in people if world.why(keys[0], pk)[0] is not statement.may]
    return [(world.users[pk], application) for pk in wrong]


def _outcome(world: World, statement: Statement, slugs: dict[str, UUID], names: dict[str, int]) -> Outcome:
    key = slugs.get(statement.application)
    if key is None:
        return Outcome(statement, False, f"There is no application “{statement.application}”")
    people = _people(world, statement, names)
    if people is None:
        return Outcome(statement, False, f"There is no {statement.kind} “{statement.who}”")
    if statement.path and (opening := _opening(world.applications[key], statement.path)) is not Opening.SHUT:
        is_open = opening is Opening.OPEN
        word = "is open to everybody" if is_open else "has a rule that cannot be used"
        return Outcome(statement, is_open and statement.may, f"The path {statement.path} {word}")
    said = [(world.users[pk].username, *world.why(key, pk)) for pk in people]
    against = next((each for each in said if each[1] is not statement.may), None)
    name, _, reason = against or said[0]
    return Outcome(statement, against is None, f"{name}: {reason}" if statement.kind == "group" else reason)


def _people(world: World, statement: Statement, names: dict[str, int]) -> list[int] | None:
    if statement.kind == "user":
        return [names[statement.who]] if statement.who in names else None
    group = next((key for key, each in world.groups.items() if each.name == statement.who), None)
    if group is None:
        return None
    members = [pk for pk, user in world.users.items() if user.is_active and group in world.all_groups(pk)]
    return members or [_first_member(world, group)]


def _first_member(world: World, group: UUID) -> int:
    """Somebody who is in this group and nothing else; they are in no database."""
    newcomer = -1 - len(world.users)
    world.users[newcomer] = User(pk=newcomer, username="a new member")
    world.members[newcomer] = {group}
    return newcomer


def _opening(application: Application, path: str) -> Opening:
    provider = ProxyProvider.objects.filter(pk=application.provider_id).first() if application.provider_id else None
    if provider is None:
        return Opening.SHUT
    steps = StepUpRules(described(provider.step_up_rules), provider.name)
    # What asks for more than a login is open to nobody.
    return Opening.SHUT if steps.applying(path) else SkipRules(provider.skip_path_regex, provider.name).opening(path)
