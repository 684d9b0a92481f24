"""Which clients know of a login, and want to hear of its end.

    tokens are issued for a login ──► one row per client and login
    the login ends ──► back channel: a notice for each, delivered by ``logout_delivery``
                       front channel: the browser that logs out opens their addresses in frames

A login that ends without its browser (an administrator, a deactivated user) has no frames: only the back channel
reaches everybody.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone

from doorward.identity.chores import runner
from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.models import ClientLogin, LogoutNotice, OAuth2Provider
from doorward.identity.oauth2.subjects import subject_of

CHORE = "logout-notices"
_Method = OAuth2Provider.LogoutMethod


def note(provider: OAuth2Provider, sid: str) -> None:
    """The client was told about the login ``sid``."""
    if sid and provider.logout_uri:
        ClientLogin.objects.bulk_create([ClientLogin(provider=provider, sid=sid)], ignore_conflicts=True)


def login_ended(user: User, sid: str) -> None:
    """Queue what clients are told; in the transaction in which the login ends, so that neither happens alone."""
    rows = list(_of(sid))
    if not rows:
        return
    notices = [
        LogoutNotice(
            provider=row.provider,
            sid=sid,
            sub=subject_of(row.provider, user),
            username=user.username,
            due=timezone.now(),
        )
        for row in rows
        if row.provider.logout_method == _Method.BACKCHANNEL and row.provider.logout_uri
    ]
    LogoutNotice.objects.bulk_create(notices)
    ClientLogin.objects.filter(sid=sid).delete()
    if notices:
        transaction.on_commit(lambda: runner.wake(CHORE))


def frames(login: LoginSession) -> tuple[str, ...]:
    """Addresses that this login's browser opens when it logs out (OpenID Connect Front-Channel Logout 1.0)."""
    return tuple(
        _with_session(row.provider, login.sid)
        for row in _of(login.sid)
        if row.provider.logout_method == _Method.FRONTCHANNEL and row.provider.logout_uri
    )


def _of(sid: str) -> list[ClientLogin]:
    if not sid:
        return []
    rows = ClientLogin.objects.filter(sid=sid, provider__application__isnull=False)
    return list(rows.select_related("provider__application").order_by("pk"))


def _with_session(provider: OAuth2Provider, sid: str) -> str:
    query = urlencode({"iss": issuer_of(provider), "sid": sid})
    return f"{provider.logout_uri}{'&' if '?' in provider.logout_uri else '?'}{query}"
