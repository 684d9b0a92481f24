"""Deleting the one user, group or policy that something is bound to must not open it to everybody.

A target without bindings lets everybody in, and bindings go with their subject. So the deletion of whoever is the
last subject of a target is refused, with a text that says what to do first.
"""

from __future__ import annotations

from django.db.models import Q

from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import subject_leaving
from doorward.identity.policies.models import Policy, PolicyBinding, PolicyTarget


def keep_closed(sender: type, *, subject: User | Group | Policy, **_: object) -> None:
    """Raise Refused if a target's last enabled bindings are all bindings of ``subject``."""
    theirs = _bindings_of(subject)
    bound = PolicyTarget.objects.filter(
        pk__in=PolicyBinding.objects.filter(theirs, enabled=True, is_grant=False)
        .exclude(policy=None, negate=True)
        .values("target")
    )
    others = PolicyBinding.objects.filter(enabled=True, is_grant=False).exclude(theirs).values("target")
    if left_open := bound.exclude(pk__in=others).count():
        things = "one application or flow" if left_open == 1 else f"{left_open} applications or flows"
        only = f"Only “{subject}” may enter" if not isinstance(subject, Policy) else f"Only “{subject}” guards"
        raise Refused(
            f"{only} {things}: without it, everybody could. "
            "Bind somebody else there, or delete the binding, and try again."
        )


def _bindings_of(subject: User | Group | Policy) -> Q:
    if isinstance(subject, User):
        return Q(user=subject)
    return Q(group=subject) if isinstance(subject, Group) else Q(policy=subject)


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    subject_leaving.connect(keep_closed, dispatch_uid="policies.guard")
