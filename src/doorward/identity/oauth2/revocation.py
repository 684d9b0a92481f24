"""What ends with a login, and with the trust in a user: codes and tokens (S-321, S-425); clients are told."""

from __future__ import annotations

from doorward.identity.directory.models import User
from doorward.identity.directory.notices import trust_ended
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.notices import leaving, login_ended
from doorward.identity.oauth2 import actions, session_clients


def _leaving(sender: type, *, login: LoginSession, **_: object) -> tuple[str, ...]:
    return session_clients.frames(login)


def _login_ended(sender: type, *, user: User, sid: str, **_: object) -> None:
    session_clients.login_ended(user, sid)
    actions.revoke_for_login(sid)


def _trust_ended(sender: type, *, user: User, except_sid: str, **_: object) -> None:
    actions.revoke_for_user(user, except_sid=except_sid)


def listen() -> None:
    """Connect to the rooms below; called once, when Django has started."""
    leaving.connect(_leaving, dispatch_uid="oauth2.frames")
    login_ended.connect(_login_ended, dispatch_uid="oauth2.revocation.login")
    trust_ended.connect(_trust_ended, dispatch_uid="oauth2.revocation.trust")
