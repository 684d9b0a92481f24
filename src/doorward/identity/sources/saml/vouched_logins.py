"""Which logins here a SAML source vouched for, so that each side can tell the other when one ends.

    somebody from a source logs in ──► a row, by the names that the source has for them
    they log out here              ──► where to go on to: the identity provider, to log out there as well
    the login is over              ──► no row

Knows nothing of XML: it is asked at every login and log-out.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from msgspec import Struct

from doorward.identity.directory.models import User
from doorward.identity.logins import notices as logins
from doorward.identity.logins.models import LoginSession
from doorward.identity.sources import notices
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.saml.models import SAMLSource, VouchedLogin

KEY = "sources.saml.leaving"
LONGEST = 600
"""Seconds for which a log-out here may go on at the identity provider."""


class Leaving(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody has logged out here and is to log out there. Kept in what is then a stranger's session."""

    source: str
    name_id: str
    name_id_format: str
    session_index: str
    started: float
    request: str = ""
    """Identifier of our request; empty until it is sent."""
    back: str = ""
    """The page on this host where it goes on."""


def listen() -> None:
    """Hear of logins and log-outs from now on."""
    notices.logged_in.connect(_note, dispatch_uid="sources_saml.logged_in")
    logins.farewell.connect(_farewell, dispatch_uid="sources_saml.farewell")
    logins.login_ended.connect(_forget, dispatch_uid="sources_saml.login_ended")


def of(source: SAMLSource, name_id: str, session_indexes: Sequence[str]) -> list[LoginSession]:
    """The logins that a source has in mind: those of the sessions that it names, or all of that person."""
    rows = VouchedLogin.objects.filter(source=source, digest=_digest(name_id), name_id=name_id)
    if session_indexes:
        rows = rows.filter(session_index__in=session_indexes)
    return [row.login for row in rows.select_related("login__user")]


def waiting(session: SessionBase) -> Leaving | None:
    """The log-out that goes on elsewhere."""
    text = session.get(KEY, "")
    try:
        found = msgspec.json.decode(text, type=Leaving) if isinstance(text, str) and text else None
    except msgspec.DecodeError:
        return None
    return found if found is not None and found.started >= time.time() - LONGEST else None


def is_to_go(session: SessionBase) -> bool:
    """Whether the browser has not been sent there yet."""
    found = waiting(session)
    return found is not None and not found.request


def keep_waiting(session: SessionBase, leaving: Leaving) -> None:
    session[KEY] = _written(leaving)


def stop_waiting(session: SessionBase) -> None:
    session.pop(KEY, None)


def _note(sender: object, *, arrival: Arrival, login: LoginSession, **more: Any) -> None:
    source = SAMLSource.objects.filter(pk=arrival.source).first() if arrival.session else None
    if source is None:
        return
    name_id, name_id_format, session_index = msgspec.json.decode(arrival.session, type=tuple[str, str, str])
    VouchedLogin.objects.update_or_create(
        login=login,
        defaults={
            "source": source,
            "digest": _digest(name_id),
            "name_id": name_id,
            "name_id_format": name_id_format,
            "session_index": session_index,
        },
    )


def _farewell(sender: object, *, login: LoginSession, **more: Any) -> dict[str, str]:
    """What the session keeps that follows on ``login``."""
    rows = VouchedLogin.objects.filter(login__in=[each for each in (login.pk, login.original_id) if each])
    row = rows.select_related("source").exclude(source__slo_url="").filter(source__enabled=True).first()
    if row is None:
        return {}
    leaving = Leaving(
        source=str(row.source_id),
        name_id=row.name_id,
        name_id_format=row.name_id_format,
        session_index=row.session_index,
        started=time.time(),
    )
    return {KEY: _written(leaving)}


def _forget(sender: object, *, user: User, sid: str, **more: Any) -> None:
    """The row of a login may live on as somebody else's."""
    VouchedLogin.objects.filter(login__sid=sid).delete()


def _written(leaving: Leaving) -> str:
    return msgspec.json.encode(leaving).decode()


def _digest(name_id: str) -> str:
    return hashlib.sha256(name_id.encode()).hexdigest()
