"""Is this rule about that event? Its policies say so: event matchers mostly, but any kind that can judge.

Nothing is recorded while they are asked: a policy that breaks would otherwise make an event that it breaks on again.
What cannot be judged counts as its binding's ``failure_result``.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.notifications.models import Rule
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.event_matching import facts_of
from doorward.identity.policies.judges import said_by
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.policies.queries import memberships


def is_about(rule: Rule, event: Event, user: User | None) -> bool:
    """Whether the rule's bindings speak of ``event``, which is by ``user``."""
    now = timezone.now()
    bound = [each for each in rule.bindings.all() if each.enabled and not each.has_ended(now)]
    if not bound:
        return False
    asked = Asked(context={"event": facts_of(event)})
    enough = all if rule.policy_engine_mode == PolicyTarget.EngineMode.ALL else any
    return enough(_says(binding, user, asked) for binding in bound)


def _says(binding: PolicyBinding, user: User | None, asked: Asked) -> bool:
    if binding.policy is not None:
        try:
            passing = said_by(binding.policy, user or AnonymousUser(), asked).passing
        except Exception:  # noqa: BLE001 - whatever a policy stumbles over, the binding says what that means
            return binding.failure_result
    elif binding.group_id is not None:
        passing = user is not None and binding.group_id in memberships(user)
    else:
        passing = user is not None and binding.user_id == user.pk
    return passing is not binding.negate
