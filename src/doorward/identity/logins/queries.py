"""Read login sessions."""

from __future__ import annotations

from django.http import HttpRequest

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore, is_live


def sid_of(login_session: LoginSession) -> str:
    """``sid`` in the tokens issued to this login."""
    return login_session.sid


def current(request: HttpRequest) -> LoginSession | None:
    """The login that this request belongs to; None for strangers."""
    session = request.session
    if not isinstance(session, SessionStore) or session.user is None:
        return None
    return session.row


def sid_to_spare(request: HttpRequest, user: User) -> str:
    """``sid`` of this request's login if it is ``user``'s: what ends their logins may leave that one (S-520)."""
    login = current(request)
    return login.sid if login is not None and login.user_id == user.pk else ""


def live_by_sid(sid: str, *, lock: bool = False) -> LoginSession | None:
    """The login of an active user with this ``sid``, unless it is over; locked until the transaction ends."""
    if not sid:
        return None
    # Where the database locks rows: a logout that comes now waits, one that came before is seen (S-325).
    # The same for the user, whom deactivation and changes of groups lock.
    rows = LoginSession.objects.select_for_update(of=("self", "user")) if lock else LoginSession.objects.all()
    row = rows.select_related("user").filter(sid=sid, user__is_active=True).first()
    return row if row is not None and is_live(row) else None


def of_user(user: User) -> list[LoginSession]:
    """The user's logins that are not over, the last used first."""
    return [
        row
        for row in user.login_sessions.select_related("impersonator", "original__user").order_by("-last_used")
        if is_live(row)
    ]
