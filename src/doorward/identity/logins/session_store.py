"""Django's session interface over ``LoginSession`` (``settings.SESSION_ENGINE``).

The cookie is a random 256-bit value, the row keeps its SHA-256. A session ends at ``expire_date``, measured when it
began (S-812), or after an hour without a request unless the user wished to be remembered; both are checked when it is
read, whether or not the sweeper ran (S-811). A row is written only when a flow has something to remember (S-917).
``last_used`` is written at most once a minute.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.logins.bindings import Binding, breach
from doorward.identity.logins.models import LoginSession, new_sid

ABSOLUTE = timedelta(hours=24)
IDLE = timedelta(hours=1)
MOST_STRANGERS = 20_000
"""Sessions of people who are not logged in; beyond it the ones that were used longest ago go."""
_LOOK_EVERY = 256
"""New sessions of strangers between two looks at how many there are."""
_TOUCH_EVERY = timedelta(minutes=1)
_begun = count(1)
NOTICE = "flows.notice"
"""Key of a sentence that the next flow page shows."""
MOVED = gettext_noop("You are in another network than when you logged in, so you were logged out. Please log in again.")
USER_KEY = "_auth_user_id"
"""Where Django's own ``login`` keeps the user; the row's ``user`` column follows it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a request came from."""

    ip: str | None = None
    user_agent: str = ""


class SessionStore(SessionBase):
    """One browser's session. Every read of a dead session gives an empty new one."""

    def __init__(self, session_key: str | None = None, seen: Seen | None = None) -> None:
        super().__init__(session_key)
        self.seen = seen or Seen()
        self._row: LoginSession | None = None

    # --- what the rest of the program asks -----------------------------------------------------------------------

    @property
    def row(self) -> LoginSession | None:
        """The row behind this session, with its user; None for a stranger without one."""
        self._data()
        return self._row

    @property
    def user(self) -> User | None:
        """Who is logged in. A deactivated user is nobody."""
        row = self.row
        return row.user if row is not None and row.user is not None and row.user.is_active else None

    def begin_login(
        self, user: User, methods: tuple[str, ...], duration: timedelta | None, binding: Binding | None = None
    ) -> LoginSession:
        """Make this session a login of ``user`` under a new key (S-527); what the flow remembered stays."""
        data = self._data()
        row = self._row or LoginSession(session_key="")
        again = row.user_id == user.pk and row.original_id is None
        row.impersonator = row.original = None
        now = timezone.now()
        self._session_key = new_cookie()
        row.session_key = vault.digest(self._session_key)
        if not again:
            row.sid = new_sid(row.session_key)
        row.user = user
        row.authenticated_at = row.last_used = now
        row.expire_date = now + (duration or ABSOLUTE)
        row.remembered = duration is not None
        row.methods = list(methods)
        row.last_ip, row.last_user_agent = self.seen.ip, self.seen.user_agent
        binding = binding or Binding()
        row.network_binding, row.geoip_binding = str(binding.network), str(binding.geoip)
        row.bound_ip = self.seen.ip if binding.is_any else None
        data[USER_KEY] = str(user.pk)
        row.session_data = self.encode(data)
        row.save()
        self._row = row
        self.modified = True  # the middleware sends the new cookie
        return row

    def step_into(self, user: User, until: datetime) -> LoginSession:
        """Become a new login in which whoever is logged in here acts as ``user`` (S-534).

        The login that stands behind it gets a key that nobody has, until ``step_back`` (S-527).
        """
        behind = self.row
        assert behind is not None
        behind.session_key = vault.digest(new_cookie())
        behind.save(update_fields=["session_key"])
        self._session_key, self._session_cache = new_cookie(), {USER_KEY: str(user.pk)}
        self._row = LoginSession(
            session_key=vault.digest(self._session_key),
            session_data=self.encode(self._session_cache),
            user=user,
            impersonator=behind.user,
            original=behind,
            authenticated_at=behind.authenticated_at,
            methods=behind.methods,
            expire_date=min(until, behind.expire_date),
            last_ip=self.seen.ip,
            last_user_agent=self.seen.user_agent,
            network_binding=behind.network_binding,
            geoip_binding=behind.geoip_binding,
            bound_ip=behind.bound_ip,
        )
        self._row.save(force_insert=True)
        self.modified = True
        return self._row

    def step_back(self, behind: LoginSession) -> None:
        """Become the login ``behind`` again, under a new key (S-527)."""
        self._session_key, self._session_cache = new_cookie(), self.decode(behind.session_data)
        behind.session_key = vault.digest(self._session_key)
        behind.save(update_fields=["session_key"])
        self._row = behind
        self.modified = True

    # --- what Django asks ----------------------------------------------------------------------------------------

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        """For Django's own tools."""
        return LoginSession

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the rows of sessions that are over."""
        sweep()

    def load(self) -> dict[str, Any]:
        """What was remembered; empties this session when there is nothing, or it is over."""
        row = live_session(self.session_key or "")
        if row is None:
            self._session_key = None
            return {}
        if row.user_id and (broken := self._breach(row)):
            return self._ended(row, broken)
        self._row = row
        self._touch(row)
        return self.decode(row.session_data)

    def _breach(self, row: LoginSession) -> str:
        return breach(Binding(row.network_binding, row.geoip_binding), row.bound_ip, self.seen.ip)

    def _ended(self, row: LoginSession, broken: str) -> dict[str, Any]:
        """The request comes from elsewhere: the login is over, and the next page says why."""
        from doorward.identity.logins.actions import end_elsewhere

        end_elsewhere(row, broken, self.seen)
        self._session_key = None
        self.modified = True
        return {NOTICE: MOVED}

    def exists(self, session_key: str) -> bool:
        """Whether a row with this cookie value exists."""
        return LoginSession.objects.filter(session_key=vault.digest(session_key)).exists()

    def create(self) -> None:
        """Begin a new session with a row."""
        self._session_key = new_cookie()
        self._row = None
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write. Raises UpdateError when the session ended in the meantime: it must not come back."""
        if self.session_key is None:
            return self.create()
        data = self._data(fresh=must_create)
        row = self._row
        if row is None or must_create:
            return self._insert(data)
        row.session_data = self.encode(data)
        row.user_id = _user_of(data)
        row.authenticated_at = (row.authenticated_at or timezone.now()) if row.user_id else None
        values = {
            "session_data": row.session_data,
            "user_id": row.user_id,
            "authenticated_at": row.authenticated_at,
        }
        if not LoginSession.objects.filter(pk=row.pk, session_key=row.session_key).update(**values):
            raise UpdateError
        return None

    def _insert(self, data: dict[str, Any]) -> None:
        assert self.session_key is not None
        row = LoginSession(
            session_key=vault.digest(self.session_key),
            session_data=self.encode(data),
            expire_date=timezone.now() + ABSOLUTE,
            user_id=_user_of(data),
            last_ip=self.seen.ip,
            last_user_agent=self.seen.user_agent,
        )
        if row.user_id:
            row.authenticated_at = row.last_used
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error
        self._row = row
        if row.user_id is None and next(_begun) % _LOOK_EVERY == 0:
            forget_surplus_strangers()

    def delete(self, session_key: str | None = None) -> None:
        """Remove the row; nothing happens if there is none."""
        key = session_key or self.session_key
        if key is not None:
            LoginSession.objects.filter(session_key=vault.digest(key)).delete()
        self._row = None

    def cycle_key(self) -> None:
        """A new key for the same row."""
        data = self._data()
        if self._row is None:
            self.create()
            self._session_cache = data
            return
        self._session_key = new_cookie()
        self._row.session_key = vault.digest(self._session_key)
        self._row.save(update_fields=["session_key"])
        self.modified = True

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Seconds until the absolute end: the cookie never outlives its row (S-316)."""
        return max(0, int((self.get_expiry_date() - timezone.now()).total_seconds()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """The absolute end."""
        return self._row.expire_date if self._row is not None else timezone.now() + ABSOLUTE

    def get_expire_at_browser_close(self) -> bool:
        """Whether the cookie goes with the browser."""
        return self._row is None or not self._row.remembered

    def _data(self, *, fresh: bool = False) -> dict[str, Any]:
        data: dict[str, Any] = self._get_session(no_load=fresh)  # type: ignore[attr-defined]  # the stubs omit it
        return data

    def _touch(self, row: LoginSession) -> None:
        now = timezone.now()
        if now - row.last_used < _TOUCH_EVERY and row.last_ip == self.seen.ip:
            return
        row.last_used = now
        changes: dict[str, object] = {"last_used": now}
        if self.seen.ip:
            row.last_ip = self.seen.ip
            row.last_user_agent = self.seen.user_agent or row.last_user_agent
            changes.update(last_ip=row.last_ip, last_user_agent=row.last_user_agent)
        LoginSession.objects.filter(pk=row.pk).update(**changes)
        if row.original_id:
            LoginSession.objects.filter(pk=row.original_id).update(last_used=now)


def new_cookie() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def live_session(cookie: str) -> LoginSession | None:
    """The row for a cookie value, unless it is over."""
    if not 8 <= len(cookie) <= 128:
        return None
    try:
        row = LoginSession.objects.select_related("user").get(session_key=vault.digest(cookie))
    except LoginSession.DoesNotExist:
        return None
    return row if is_live(row) else None


def is_live(row: LoginSession) -> bool:
    """Whether a login session is neither past its end nor idle for too long, and who acts in it still may log in."""
    now = timezone.now()
    if row.original is not None and not (is_live(row.original) and row.original.user and row.original.user.is_active):
        return False
    return row.expire_date > now and (row.remembered or row.last_used > now - IDLE)


def sweep() -> None:
    """Delete what is over anyway. The proxy sessions that came from it live on until their own end."""
    now = timezone.now()
    LoginSession.objects.filter(expire_date__lte=now).delete()
    LoginSession.objects.filter(remembered=False, last_used__lte=now - IDLE).delete()


def forget_surplus_strangers() -> None:
    """Keep the rows of strangers few: whoever asks for the login page a million times gets no million rows (S-917)."""
    surplus = (
        LoginSession.objects.filter(user=None).order_by("-last_used").values_list("pk", flat=True)[MOST_STRANGERS:]
    )
    LoginSession.objects.filter(pk__in=list(surplus[: 2 * _LOOK_EVERY])).delete()


def _user_of(data: dict[str, Any]) -> int | None:
    kept = data.get(USER_KEY)
    return int(kept) if isinstance(kept, str | int) and str(kept).isdigit() else None
