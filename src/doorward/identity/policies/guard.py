"""Deleting the one user or group that something is bound to must not open it to everybody.

A target without bindings lets everybody in, and bindings go with their subject. So the deletion of whoever is the
last subject of a target is refused, with a text that says what to do first.
"""

from __future__ import annotations

from django.db.models import Q

from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import subject_leaving
from doorward.identity.policies.models import PolicyBinding, PolicyTarget


def keep_closed(sender: type, *, subject: User | Group, **_: object) -> None:
    """Raise Refused if a target's last enabled bindings are all bindings of ``subject``."""
    theirs = Q(user=subject) if isinstance(subject, User) else Q(group=subject)
    bound = PolicyTarget.objects.filter(
        pk__in=PolicyBinding.objects.filter(theirs, enabled=True, negate=False).values("target")
    )
    others = PolicyBinding.objects.filter(enabled=True).exclude(theirs).values("target")
    if left_open := bound.exclude(pk__in=others).count():
        things = "one application or flow" if left_open == 1 else f"{left_open} applications or flows"
        raise Refused(
            f"Only “{subject}” may enter {things}: without it, everybody could. "
            "Bind somebody else there, or delete the binding, and try again."
        )


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    subject_leaving.connect(keep_closed, dispatch_uid="policies.guard")
