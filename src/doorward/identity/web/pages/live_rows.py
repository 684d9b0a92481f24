"""Sessions as people recognise them: whose, where, in which browser, since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts import live
from doorward.identity.outposts.models import StoredSession
from doorward.identity.web.pages.browsers import named


@dataclass(frozen=True, slots=True)
class Row:
    """One session, as people recognise it."""

    user: User
    application: str
    """Empty for a login at the identity provider itself."""
    browser: str
    is_phone: bool
    agent: str
    address: str
    since: datetime | None
    last_used: datetime
    ends: str
    """The address to post to."""
    is_this: bool = False


def own(user: User) -> list[Row]:
    """The sessions of ``user`` at applications."""
    return [at_application(session, "own-session-end") for session in live.sessions().filter(user=user)[:100]]


def of_login(login: LoginSession, this: LoginSession | None) -> Row:
    assert login.user is not None
    return _row(
        login.user,
        "",
        [login],
        login.authenticated_at,
        login.last_used,
        reverse("admin-login-end", args=[login.uuid]),
        is_this=this is not None and this.pk == login.pk,
    )


def at_application(session: StoredSession, ends: str) -> Row:
    login = [session.login_session] if session.login_session is not None else []
    name = session.provider.application.name
    return _row(session.user, name, login, session.created, session.last_seen, reverse(ends, args=[session.pk]))


def _row(
    user: User,
    application: str,
    login: Iterable[LoginSession],
    since: datetime | None,
    last_used: datetime,
    ends: str,
    *,
    is_this: bool = False,
) -> Row:
    agent, address = next(((each.last_user_agent, each.last_ip or "") for each in login), ("", ""))
    browser, is_phone = named(agent)
    return Row(user, application, browser, is_phone, agent, address, since, last_used, ends, is_this)
