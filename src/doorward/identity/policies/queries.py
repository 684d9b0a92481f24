"""May this user? The one place where bindings are judged (``contracts/identity.md`` section 5.1).

A binding of a policy that cannot be judged says its ``failure_result``, which ``negate`` does not turn around: what
fails must not open anything by being negated. A binding that has ended is not asked any more; where nothing else is
left, nobody passes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.asked import NOTHING_KNOWN, Asked
from doorward.identity.policies.judges import CONCRETE, JUDGES, said_by
from doorward.identity.policies.models import Policy, PolicyBinding, PolicyTarget
from doorward.identity.remembered.memory import remembered


@dataclass(frozen=True, slots=True)
class Verdict:
    """Denial is a value; ``reasons`` say why, for administrators."""

    passing: bool
    reasons: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    """What the policies have to say to the user, whatever was decided."""
    undecided: bool = False
    """It does not pass, and a policy could not be judged that may have let it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one binding says."""

    passing: bool
    because: Callable[[], str]
    """Says why. The names of whom a binding means are read only for whoever asks."""
    messages: tuple[str, ...] = ()
    failed: bool = False
    """It could not be judged."""
    by_policy: bool = False
    """A policy says so, not a user or a group that is named."""

    @property
    def reason(self) -> str:
        return self.because()


def verdict(target: PolicyTarget, user: User | AnonymousUser, asked: Asked = NOTHING_KNOWN) -> Verdict:
    """Judge the enabled bindings of ``target``. Without any, everybody passes. Superusers are not exempt."""
    bindings = bindings_on(target.pk)
    # Most targets have no binding on a group, and then a user's groups need not be read.
    groups = memberships(user) if any(binding.group_id for binding in bindings) else frozenset()
    return judge(bindings, target.policy_engine_mode, user, groups, asked)


@remembered
def bindings_on(target: uuid.UUID) -> list[PolicyBinding]:
    """The enabled bindings of a target, with their policies, each as an object of its own kind. Whom they name is not
    read along: groups and users change without the bindings."""
    found = list(PolicyBinding.objects.filter(target_id=target, enabled=True).select_related("policy", *CONCRETE))
    for binding in found:
        if binding.policy is not None and binding.policy.kind in JUDGES:
            binding.policy = binding.policy.concrete()
    return found


def memberships(user: User | AnonymousUser) -> frozenset[uuid.UUID]:
    """Keys of all groups that the user belongs to, inherited ones included."""
    if not isinstance(user, User) or user.pk is None:
        return frozenset()
    return frozenset(group.pk for group in user.all_groups())


def judge(
    bindings: Iterable[PolicyBinding],
    mode: str,
    user: User | AnonymousUser,
    groups: frozenset[uuid.UUID],
    asked: Asked = NOTHING_KNOWN,
) -> Verdict:
    """Judge bindings that were read already; ``groups`` are the user's ``memberships``."""
    if isinstance(user, User) and not user.is_active:
        return Verdict(False, ("The user is deactivated",))
    enabled = [binding for binding in bindings if binding.enabled]
    rules = [binding for binding in enabled if not binding.is_grant]
    if not rules:
        return Verdict(True)
    now = timezone.now()
    outcomes = [weighed(binding, user, groups, asked) for binding in rules if not binding.has_ended(now)]
    if not outcomes and not granted(enabled, user, now):
        # What has ended by itself never opens a door to everybody.
        return Verdict(False, ("Whatever was bound here has ended",))
    if granted(enabled, user, now):
        outcomes = _with_grant(outcomes, mode)
    messages = tuple(dict.fromkeys(message for outcome in outcomes for message in outcome.messages))
    enough = all if mode == PolicyTarget.EngineMode.ALL else any
    if enough(outcome.passing for outcome in outcomes):
        return Verdict(True, (), messages)
    against = [outcome for outcome in outcomes if not outcome.passing]
    return Verdict(
        False, tuple(outcome.reason for outcome in against), messages, any(outcome.failed for outcome in against)
    )


def granted(bindings: Iterable[PolicyBinding], user: User | AnonymousUser, now: datetime) -> PolicyBinding | None:
    """The grant among ``bindings`` that lets the user in now."""
    theirs = (each for each in bindings if each.is_grant and each.enabled and user.pk and each.user_id == user.pk)
    return next((each for each in theirs if not each.has_ended(now)), None)


def _with_grant(outcomes: list[Outcome], mode: str) -> list[Outcome]:
    """A grant stands in the place of the bindings of users and groups. What policies say stays: where all must pass,
    whoever was let in on request still comes at the right time, from the right place."""
    grant = Outcome(True, lambda: "Was given access on request")
    if mode == PolicyTarget.EngineMode.ALL:
        return [grant, *(outcome for outcome in outcomes if outcome.by_policy)]
    return [grant, *outcomes]


def weighed(
    binding: PolicyBinding,
    user: User | AnonymousUser,
    groups: frozenset[uuid.UUID],
    asked: Asked = NOTHING_KNOWN,
) -> Outcome:
    """What one binding says about the user, and why."""
    if binding.policy is not None:
        return _by_policy(binding, binding.policy, user, asked)
    if binding.group_id is not None:
        applies = binding.group_id in groups
    elif binding.user_id is not None:
        applies = user.pk is not None and binding.user_id == user.pk
    else:  # the database forbids it; fail closed all the same
        return Outcome(False, lambda: "A binding names nobody")
    return Outcome(applies is not binding.negate, lambda: _in_words(binding, user, applies))


def _in_words(binding: PolicyBinding, user: User | AnonymousUser, applies: bool) -> str:
    name = user.get_username() or "A stranger"
    try:
        if binding.group is not None:
            subject = f"a member of the group “{binding.group.name}”"
        else:
            subject = f"the user “{binding.user}”"
    except ObjectDoesNotExist:  # deleted in this very moment
        subject = "whom a binding names"
    return f"{name} is {'' if applies else 'not '}{subject}"


def _by_policy(binding: PolicyBinding, policy: Policy, user: User | AnonymousUser, asked: Asked) -> Outcome:
    try:
        said = said_by(policy, user, asked)
    except Exception as error:  # noqa: BLE001 - whatever a policy stumbles over, the binding says what that means
        if not asked.rehearsal:
            events.record(
                "policy_exception",
                "authentik.policies",
                Actor.system(),
                policy=policy.name,
                about=user.get_username(),
                error=f"{type(error).__name__}: {error}"[:500],
            )
        reason = f"The policy “{policy.name}” could not be judged: {error}"
        return Outcome(binding.failure_result, lambda: reason, failed=True, by_policy=True)
    if policy.execution_logging and not asked.rehearsal:
        events.record(
            "policy_execution",
            "authentik.policies",
            Actor.system(),
            policy=policy.name,
            about=user.get_username(),
            passing=said.passing,
            messages=said.messages,
            log=said.log,
        )
    word = "passes" if said.passing else "does not pass"
    why = f": {said.messages[0]}" if said.messages else ""
    reason = f"The policy “{policy.name}” {word}{why}"
    return Outcome(said.passing is not binding.negate, lambda: reason, said.messages, by_policy=True)
