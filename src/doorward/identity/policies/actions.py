"""Bind users and groups to what they may enter, and tell whoever must act on it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.policies.notices import access_changed

_EDITABLE = frozenset({"target", "user", "group", "order", "enabled", "negate", "timeout", "failure_result"})


def _require_one_subject(user: User | None, group: Group | None) -> None:
    if (user is None) == (group is None):
        raise ValidationError({"non_field_errors": ["Exactly one of 'policy', 'group' or 'user' must be set."]})


def bind(
    actor: Actor,
    target: PolicyTarget,
    *,
    user: User | None = None,
    group: Group | None = None,
    order: int = 0,
    **fields: object,
) -> PolicyBinding:
    """Bind one user or one group to ``target``. Raises ValidationError unless exactly one is given."""
    _require_one_subject(user, group)
    _refuse_unknown(fields)
    with transaction.atomic():
        binding = PolicyBinding(target=target, user=user, group=group, order=order)
        for name, value in fields.items():
            setattr(binding, name, value)
        binding.full_clean()
        binding.save(force_insert=True)
        events.created(actor, binding)
        access_changed.send(PolicyBinding, target=binding.target)
    return binding


def update_binding(actor: Actor, binding: PolicyBinding, **changes: object) -> PolicyBinding:
    """Change a binding, its subject and target included. Raises ValidationError."""
    _refuse_unknown(changes)
    with transaction.atomic():
        before = events.snapshot(binding)
        former_target = binding.target
        for name, value in changes.items():
            setattr(binding, name, value)
        _require_one_subject(binding.user, binding.group)
        binding.full_clean()
        binding.save()
        if events.updated(actor, binding, before):
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


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"a binding has no {', '.join(sorted(unknown))}")
