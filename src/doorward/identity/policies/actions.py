"""Bind users, groups and policies to what they guard, and tell whoever must act on it."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.chores import look_soon
from doorward.identity.policies.guard import keep_closed
from doorward.identity.policies.models import Policy, PolicyBinding, PolicyTarget
from doorward.identity.policies.notices import access_changed

P = TypeVar("P", bound=Policy)
_EDITABLE = frozenset(
    {
        "target",
        "policy",
        "user",
        "group",
        "order",
        "enabled",
        "negate",
        "timeout",
        "failure_result",
        "expires",
        "expiring",
        "is_grant",
    }
)


def _require_one_subject(user: User | None, group: Group | None, policy: Policy | None) -> None:
    if sum(each is not None for each in (user, group, policy)) != 1:
        raise ValidationError({"non_field_errors": [_("Exactly one of 'policy', 'group' or 'user' must be set.")]})


def _require_bindable(binding: PolicyBinding) -> None:
    if (binding.policy is not None or binding.negate) and not binding.target.is_a_door():
        field = "policy" if binding.policy is not None else "negate"
        raise ValidationError({field: [_("An entitlement belongs to the users and groups that are named.")]})


def bind(
    actor: Actor,
    target: PolicyTarget,
    *,
    user: User | None = None,
    group: Group | None = None,
    policy: Policy | None = None,
    order: int = 0,
    **fields: object,
) -> PolicyBinding:
    """Bind one user, group or policy to ``target``. Raises ValidationError unless exactly one is given."""
    _require_one_subject(user, group, policy)
    _refuse_unknown(fields)
    with transaction.atomic():
        binding = PolicyBinding(target=target, user=user, group=group, policy=policy, order=order)
        for name, value in fields.items():
            setattr(binding, name, value)
        _require_bindable(binding)
        binding.full_clean()
        binding.save(force_insert=True)
        events.created(actor, binding)
        access_changed.send(PolicyBinding, target=binding.target)
        look_soon(binding.expires)
    return binding


def update_binding(actor: Actor, binding: PolicyBinding, **changes: object) -> PolicyBinding:
    """Change a binding, its subject and target included. Raises ValidationError."""
    _refuse_unknown(changes)
    with transaction.atomic():
        before = events.snapshot(binding)
        former_target = binding.target
        for name, value in changes.items():
            setattr(binding, name, value)
        _require_one_subject(binding.user, binding.group, binding.policy)
        _require_bindable(binding)
        binding.full_clean()
        binding.save()
        if events.updated(actor, binding, before):
            look_soon(binding.expires)
            access_changed.send(PolicyBinding, target=binding.target)
            if former_target.pk != binding.target_id:
                access_changed.send(PolicyBinding, target=former_target)
    return binding


def unbind(actor: Actor, binding: PolicyBinding) -> None:
    """Remove a binding. Without its last one a target is open to everybody."""
    with transaction.atomic():
        target = binding.target
        events.deleted(actor, binding)
        binding.delete()
        access_changed.send(PolicyBinding, target=target)


def create_policy(actor: Actor, kind: type[P], **fields: object) -> P:
    """A policy that judges nothing until it is bound. Raises ValidationError."""
    with transaction.atomic():
        policy = kind(**fields)
        policy.full_clean()
        policy.save(force_insert=True)
        events.created(actor, policy)
    return policy


def update_policy(actor: Actor, policy: Policy, **changes: object) -> None:
    """Change what a policy says; whoever it lets in no longer is out. Raises ValidationError."""
    with transaction.atomic():
        before = events.snapshot(policy)
        for name, value in changes.items():
            setattr(policy, name, value)
        policy.full_clean()
        policy.save()
        if events.updated(actor, policy, before):
            for target in PolicyTarget.objects.filter(bindings__policy=policy).distinct():
                access_changed.send(PolicyBinding, target=target)


def delete_policy(actor: Actor, policy: Policy) -> None:
    """Raises Refused while it is the only thing that guards something."""
    with transaction.atomic():
        keep_closed(Policy, subject=policy)
        targets = list(PolicyTarget.objects.filter(bindings__policy=policy).distinct())
        events.deleted(actor, policy)
        policy.delete()
        for target in targets:
            access_changed.send(PolicyBinding, target=target)


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"a binding has no {', '.join(sorted(unknown))}")
