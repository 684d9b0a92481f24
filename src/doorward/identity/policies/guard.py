"""Deleting the one user, group or policy that something is bound to must not open it to everybody.

A target without bindings lets everybody in, and bindings go with their subject. So the deletion of whoever is the
last subject of a target is refused, with a text that says what to do first.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import ngettext

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
    for kind in PolicyTarget.__subclasses__():
        if not kind.IS_A_DOOR:
            bound = bound.exclude(pk__in=kind._default_manager.values("pk"))
    others = PolicyBinding.objects.filter(enabled=True, is_grant=False).exclude(theirs).values("target")
    if left_open := bound.exclude(pk__in=others).count():
        raise Refused(_says(subject, left_open))


def _says(subject: User | Group | Policy, count: int) -> str:
    if isinstance(subject, Policy):
        text = ngettext(
            "Only “%(subject)s” guards one application or flow: without it, everybody could enter. "
            "Bind somebody else there, or delete the binding, and try again.",
            "Only “%(subject)s” guards %(count)d applications or flows: without it, everybody could enter. "
            "Bind somebody else there, or delete the binding, and try again.",
            count,
        )
    else:
        text = ngettext(
            "Only “%(subject)s” may enter one application or flow: without it, everybody could. "
            "Bind somebody else there, or delete the binding, and try again.",
            "Only “%(subject)s” may enter %(count)d applications or flows: without it, everybody could. "
            "Bind somebody else there, or delete the binding, and try again.",
            count,
        )
    return text % {"subject": subject, "count": count}


def _bindings_of(subject: User | Group | Policy) -> Q:
    if isinstance(subject, User):
        return Q(user=subject)
    return Q(group=subject) if isinstance(subject, Group) else Q(policy=subject)


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    subject_leaving.connect(keep_closed, dispatch_uid="policies.guard")
