"""Log in, log out, end a login from outside. What ends a login ends its proxy sessions and tokens (S-322)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.directory.notices import user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins import queries
from doorward.identity.logins.bindings import Binding
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.notices import farewell, leaving, login_ended
from doorward.identity.logins.session_store import Seen, SessionStore

_LOGIN = "authentik.core.auth"
_AUTH_METHODS = {"pwd": "password", "user": "auth_webauthn_pwl"}
"""``amr`` values (RFC 8176) that events call by another name."""


class NotActive(Exception):
    """A deactivated user does not get a session, whatever they proved (S-524)."""


def log_in(
    request: HttpRequest,
    user: User,
    *,
    methods: tuple[str, ...],
    duration: timedelta | None = None,
    binding: Binding | None = None,
) -> LoginSession:
    """Make the request's session a login of ``user``: new key, event, ``request.user``.

    ``methods`` are ``amr`` values (``pwd``, ``mfa`` …). ``duration`` None: ends with the browser, after 24 hours or
    an idle hour; else the login is remembered for so long. ``binding`` ties it to where it begins.
    Somebody else's login in this browser ends first. Raises NotActive.
    """
    session = request.session
    assert isinstance(session, SessionStore)
    actor = Actor.of(request).acting_as(user)
    with transaction.atomic():
        # Read again: the flow may have begun before the deactivation.
        if not User.objects.select_for_update().filter(pk=user.pk, is_active=True).exists():
            raise NotActive
        former = queries.current(request)
        if former is not None and former.user is not None and (former.user_id != user.pk or former.original_id):
            _say_ended(former)
        row = session.begin_login(user, methods, duration, binding)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        first = methods[0] if methods else ""
        events.record("login", _LOGIN, actor, auth_method=_AUTH_METHODS.get(first, first), amr=list(methods))
    request.user = user
    rotate_token(request)
    return row


def strengthen(request: HttpRequest, methods: tuple[str, ...]) -> None:
    """Whoever is logged in has proved more than the login knew: it keeps that, under a new key (S-527)."""
    row = queries.current(request)
    if row is None:
        return
    row.methods = list(dict.fromkeys((*row.methods, *methods)))
    row.save(update_fields=["methods"])
    request.session.cycle_key()


def log_out(request: HttpRequest) -> tuple[str, ...]:
    """End the request's login, if there is one, and forget everything about the session.

    Says which addresses of applications the browser is to open in frames next (front-channel logout)."""
    row = queries.current(request)
    frames: tuple[str, ...] = ()
    kept: dict[str, str] = {}
    with transaction.atomic():
        if row is not None:
            for _, known in farewell.send(LoginSession, login=row):
                kept |= known if isinstance(known, dict) else {}
            frames = tuple(url for _, urls in leaving.send(LoginSession, login=row) for url in urls or ())
            events.record("logout", _LOGIN, Actor.of(request))
            _say_ended(row)
            if row.original is not None:  # whoever acts as somebody logs out as both
                end_silently(row.original)
        request.session.flush()
    if kept:
        request.session.update(kept)
    request.user = AnonymousUser()
    return frames


def end(actor: Actor, login_session: LoginSession) -> None:
    """End one login from outside: an administrator, or its user in another browser."""
    with transaction.atomic():
        if login_session.user is not None:
            user_written.send(LoginSession, actor=actor, user=login_session.user)
        events.record("logout", _LOGIN, actor, ended=login_session, of_user=login_session.user)
        end_silently(login_session)


def end_all_of(actor: Actor, user: User, *, except_sid: str = "") -> int:
    """End every login of ``user`` but that one; says how many."""
    with transaction.atomic():
        rows = list(user.login_sessions.exclude(sid=except_sid))
        for row in rows:
            end(actor, row)
    return len(rows)


def end_elsewhere(login_session: LoginSession, broken: str, seen: Seen) -> None:
    """End a login that is tied to where it began, because a request came from elsewhere. Two at once end it once."""
    with transaction.atomic():
        row = (
            LoginSession.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(pk=login_session.pk)
            .first()
        )
        if row is None or row.user is None:
            return
        actor = Actor(row.user, seen.ip, "", user_agent=seen.user_agent)
        events.record(
            "logout", _LOGIN, actor, reason=f"session_binding_broken: {broken}", began_at=row.bound_ip, seen_at=seen.ip
        )
        end_silently(row)


def end_silently(login_session: LoginSession) -> None:
    """End one login without an event of its own, as part of an action that has one."""
    _say_ended(login_session)
    login_session.delete()


def _say_ended(row: LoginSession) -> None:
    for acting in row.impersonations.select_related("user"):
        end_silently(acting)
    if row.user is not None:
        # A callback that is being completed right now goes first, and its session is among those that end (S-325).
        LoginSession.objects.select_for_update().filter(pk=row.pk).first()
        login_ended.send(LoginSession, user=row.user, sid=row.sid)
