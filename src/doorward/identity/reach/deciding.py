"""Whether somebody may enter, for many people at once: the rules of an application taken apart beforehand.

The rules are those of ``policies.queries.judge``, and a property test holds the two against each other. What is faster:
users and groups are looked up in sets; policies are asked only where these have not decided; one that is bound several
times is asked once for each user, and one that does not look at users (time, network) once. Nothing is remembered
longer than one look at the whole world, since a world can be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from doorward.identity.directory.models import User
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.judges import SAME_FOR_ALL, said_by
from doorward.identity.policies.models import Policy, PolicyBinding, PolicyTarget


@dataclass
class Policies:
    """What policies say, each asked once for each user."""

    asked: Asked
    prepared: Callable[[int], User]
    """The user whom a policy is asked about."""
    _said: dict[tuple[int, int], bool | None] = field(default_factory=dict)
    """By the policy object, which a change may have edited, and user. None: it could not be judged."""

    def passes(self, binding: PolicyBinding, policy: Policy, user: int) -> bool:
        """What the binding says about the user."""
        place = (id(policy), 0 if policy.kind in SAME_FOR_ALL else user)
        if place not in self._said:
            self._said[place] = self._ask(policy, user)
        passing = self._said[place]
        return binding.failure_result if passing is None else passing is not binding.negate

    def _ask(self, policy: Policy, user: int) -> bool | None:
        try:
            return said_by(policy, self.prepared(user), self.asked).passing
        except Exception:  # noqa: BLE001 - as in earnest: the binding says what that means
            return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What is bound to one application, sorted by how dear it is to ask."""

    every: bool
    """All must pass, not just one."""
    bound: bool
    """Something is, ended or not; nothing: everybody may enter."""
    live: bool
    """Something has not ended."""
    granted: frozenset[int]
    """Users who were given access on request."""
    groups: tuple[tuple[UUID, bool], ...]
    """Key, and whether everybody *but* its members."""
    users: tuple[tuple[int | None, bool], ...]
    nobody: bool
    """A binding that names nothing."""
    policies: tuple[tuple[PolicyBinding, Policy], ...]

    @classmethod
    def of(cls, bindings: Iterable[PolicyBinding], mode: str, now: datetime) -> Rules:
        enabled = [each for each in bindings if each.enabled]
        grants = [each for each in enabled if each.is_grant and not each.has_ended(now)]
        rules = [each for each in enabled if not each.is_grant]
        live = [each for each in rules if not each.has_ended(now)]
        named = [each for each in live if each.policy is None]
        return cls(
            every=mode == PolicyTarget.EngineMode.ALL,
            bound=bool(rules),
            live=bool(live),
            granted=frozenset(each.user_id for each in grants if each.user_id),
            groups=tuple((each.group.pk, each.negate) for each in named if each.group is not None),
            users=tuple((each.user_id, each.negate) for each in named if each.group is None and each.user is not None),
            nobody=any(each.group is None and each.user is None for each in named),
            policies=tuple((each, each.policy) for each in live if each.policy is not None),
        )

    def let_in(self, user: int, groups: frozenset[UUID], policies: Policies) -> bool:
        """Whether they let in an active user who belongs to ``groups``."""
        if not self.bound:
            return True
        given = user in self.granted
        if not self.live and not given:
            return False
        if self.every:
            return (given or self._all_named(user, groups)) and all(
                policies.passes(binding, policy, user) for binding, policy in self.policies
            )
        return (
            given
            or self._some_named(user, groups)
            or any(policies.passes(binding, policy, user) for binding, policy in self.policies)
        )

    def _all_named(self, user: int, groups: frozenset[UUID]) -> bool:
        return (
            not self.nobody
            and all((key in groups) is not negate for key, negate in self.groups)
            and all((key == user) is not negate for key, negate in self.users)
        )

    def _some_named(self, user: int, groups: frozenset[UUID]) -> bool:
        return any((key in groups) is not negate for key, negate in self.groups) or any(
            (key == user) is not negate for key, negate in self.users
        )
