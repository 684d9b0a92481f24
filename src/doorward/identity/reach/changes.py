"""Changes that somebody thinks about: who gains access by them and who loses it, before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.models import Policy, PolicyBinding
from doorward.identity.reach.world import Pair, World

NAMED = 5
"""Users whom a warning names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """Base. ``apply`` makes it in a world; ``users`` and ``applications`` say what it can touch (None: anything)."""

    def apply(self, world: World) -> None:
        raise NotImplementedError

    def users(self) -> list[int] | None:
        return None

    def applications(self) -> list[UUID] | None:
        return None


@dataclass(frozen=True, slots=True)
class MemberAdded(Change):
    group: Group
    user: User

    def apply(self, world: World) -> None:
        world.members.setdefault(self.user.pk, set()).add(self.group.pk)
        world.forget_groups(self.user.pk)

    def users(self) -> list[int]:
        return [self.user.pk]


@dataclass(frozen=True, slots=True)
class MemberRemoved(Change):
    group: Group
    user: User

    def apply(self, world: World) -> None:
        world.members.get(self.user.pk, set()).discard(self.group.pk)
        world.forget_groups(self.user.pk)

    def users(self) -> list[int]:
        return [self.user.pk]


@dataclass(frozen=True, slots=True)
class GroupDeleted(Change):
    group: Group

    def apply(self, world: World) -> None:
        world.groups.pop(self.group.pk, None)
        for user in world.users:
            world.forget_groups(user)
        for key, bindings in world.bindings.items():
            world.bindings[key] = [each for each in bindings if each.group_id != self.group.pk]


@dataclass(frozen=True, slots=True)
class UserDeactivated(Change):
    user: User

    def apply(self, world: World) -> None:
        world.users[self.user.pk].is_active = False

    def users(self) -> list[int]:
        return [self.user.pk]


@dataclass(frozen=True, slots=True)
class BindingAdded(Change):
    application: Application
    fields: Mapping[str, object]
    """``user``, ``group`` or ``policy``, ``negate`` …"""

    def apply(self, world: World) -> None:
        values = {name: value for name, value in self.fields.items() if value is not None}
        binding = PolicyBinding(target_id=self.application.pk, **values)
        if binding.enabled:
            world.bindings[self.application.pk].append(binding)

    def applications(self) -> list[UUID]:
        return [self.application.pk]


@dataclass(frozen=True, slots=True)
class BindingRemoved(Change):
    binding: PolicyBinding

    def apply(self, world: World) -> None:
        here = world.bindings.get(self.binding.target_id, [])
        here[:] = [each for each in here if each.pk != self.binding.pk]

    def applications(self) -> list[UUID]:
        return [self.binding.target_id]


@dataclass(frozen=True, slots=True)
class BindingChanged(Change):
    binding: PolicyBinding
    fields: Mapping[str, object]

    def apply(self, world: World) -> None:
        here = world.bindings.get(self.binding.target_id, [])
        changed = next((each for each in here if each.pk == self.binding.pk), None)
        if changed is None:  # it is switched off, and may be switched on
            changed = PolicyBinding.objects.select_related("user", "group", "policy").get(pk=self.binding.pk)
            here.append(changed)
        for name, value in self.fields.items():
            setattr(changed, name, value)

    def applications(self) -> list[UUID]:
        return [self.binding.target_id]


@dataclass(frozen=True, slots=True)
class PolicyEdited(Change):
    policy: Policy
    fields: Mapping[str, object]

    def apply(self, world: World) -> None:
        for bindings in world.bindings.values():
            for binding in bindings:
                if binding.policy is not None and binding.policy_id == self.policy.pk:
                    own = binding.policy.concrete()
                    for name, value in self.fields.items():
                        setattr(own, name, value)

    def applications(self) -> list[UUID]:
        return list(Application.objects.filter(bindings__policy=self.policy.pk).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Difference:
    """Sorted by application and user name."""

    gained: list[tuple[User, Application]] = field(default_factory=list)
    lost: list[tuple[User, Application]] = field(default_factory=list)


def difference(changes: Sequence[Change], client_ip: str = "") -> Difference:
    """Who gains and who loses what by all of ``changes`` together."""
    world = World.load(client_ip)
    known = [each.users() for each in changes]
    users = None if None in known else sorted({pk for each in known for pk in each or ()})
    reached = [each.applications() for each in changes]
    applications = None if None in reached else sorted({key for each in reached for key in each or ()})
    before = world.entering(users, applications)
    for change in changes:
        change.apply(world)
    after = world.entering(users, applications)
    return Difference(_named(world, after - before), _named(world, before - after))


def _named(world: World, pairs: set[Pair]) -> list[tuple[User, Application]]:
    named = [(world.users[user], world.applications[key]) for user, key in pairs]
    return sorted(named, key=lambda pair: (pair[1].name, pair[0].username))


def warnings(*changes: Change, named: bool) -> list[str]:
    """The difference in sentences, one for each application and side; empty where nobody gains or loses. ``named``:
    whoever reads it may see the users (S-602)."""
    found = difference(changes)
    sentences = [*_sentences(found.lost, "loses", "lose"), *_sentences(found.gained, "gains", "gain")]
    return sentences if named else [f"{sentence.partition(':')[0]}." for sentence in sentences]


def _sentences(pairs: list[tuple[User, Application]], one: str, several: str) -> list[str]:
    by_application: dict[str, list[str]] = {}
    for user, application in pairs:
        by_application.setdefault(application.name, []).append(user.username)
    return [_sentence(name, users, one, several) for name, users in by_application.items()]


def _sentence(application: str, users: list[str], one: str, several: str) -> str:
    count = f"One person {one}" if len(users) == 1 else f"{len(users)} people {several}"
    rest = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
    return f"{count} access to “{application}”: {', '.join(users[:NAMED])}{rest}."
