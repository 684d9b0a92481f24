"""May this user? The one place where bindings are judged (``contracts/identity.md`` section 5.1)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from doorward.identity.directory.models import User
from doorward.identity.policies.models import PolicyBinding, PolicyTarget


@dataclass(frozen=True, slots=True)
class Verdict:
    """Denial is a value; ``reasons`` say why, for administrators."""

    passing: bool
    reasons: tuple[str, ...] = ()


def verdict(target: PolicyTarget, user: User | AnonymousUser) -> Verdict:
    """Judge the enabled bindings of ``target``. Without any, everybody passes. Superusers are not exempt."""
    bindings = list(PolicyBinding.objects.filter(target_id=target.pk, enabled=True).select_related("user", "group"))
    # Most targets have no binding on a group, and then a user's groups need not be read.
    groups = memberships(user) if any(binding.group_id for binding in bindings) else frozenset()
    return judge(bindings, target.policy_engine_mode, user, groups)


def memberships(user: User | AnonymousUser) -> frozenset[uuid.UUID]:
    """Keys of all groups that the user belongs to, inherited ones included."""
    if not isinstance(user, User) or user.pk is None:
        return frozenset()
    return frozenset(group.pk for group in user.all_groups())


def weighed(binding: PolicyBinding, user: User | AnonymousUser, groups: frozenset[uuid.UUID]) -> tuple[bool, str]:
    """What one binding says about the user, and why."""
    return _outcome(binding, user, groups)


def judge(
    bindings: Iterable[PolicyBinding], mode: str, user: User | AnonymousUser, groups: frozenset[uuid.UUID]
) -> Verdict:
    """Judge bindings that were read already; ``groups`` are the user's ``memberships``."""
    if isinstance(user, User) and not user.is_active:
        return Verdict(False, ("The user is deactivated",))
    outcomes = [_outcome(binding, user, groups) for binding in bindings if binding.enabled]
    if not outcomes:
        return Verdict(True)
    enough = all if mode == PolicyTarget.EngineMode.ALL else any
    if enough(passing for passing, _ in outcomes):
        return Verdict(True)
    return Verdict(False, tuple(reason for passing, reason in outcomes if not passing))


def _outcome(binding: PolicyBinding, user: User | AnonymousUser, groups: frozenset[uuid.UUID]) -> tuple[bool, str]:
    name = user.get_username() or "A stranger"
    if binding.group is not None:
        applies = binding.group_id in groups
        subject = f"a member of the group “{binding.group.name}”"
    elif binding.user is not None:
        applies = user.pk is not None and binding.user_id == user.pk
        subject = f"the user “{binding.user.username}”"
    else:  # the database forbids it; fail closed all the same
        return False, "A binding names nobody"
    return applies is not binding.negate, f"{name} is {'' if applies else 'not '}{subject}"
