"""Logins end with the trust in their user: deactivated, deleted, or a new password (S-321, S-520)."""

from __future__ import annotations

from doorward.identity.directory.models import User
from doorward.identity.directory.notices import rights_changed, trust_ended
from doorward.identity.logins import actions


def end_logins(sender: type, *, user: User, except_sid: str, **_: object) -> None:
    """End every login of ``user`` but the one that may stay."""
    for row in user.login_sessions.exclude(sid=except_sid):
        actions.end_silently(row)


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    from doorward.identity.logins.impersonation import end_of_the_powerless

    rights_changed.connect(end_of_the_powerless, dispatch_uid="logins.impersonation")
    trust_ended.connect(end_logins, dispatch_uid="logins.revocation")
