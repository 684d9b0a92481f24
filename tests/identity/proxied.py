"""What the data plane does, without it: log in, complete a callback, ask the identity provider."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from io import BytesIO
from typing import Any

import msgspec
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.rpc.app import answer_to
from doorward.messages.sessions import Claims, CreateSession, FindSession, ProxySession


def log_in(user: User) -> LoginSession:
    """A login of ``user`` in some browser."""
    return LoginSession.objects.create(
        session_key=vault.digest(secrets.token_urlsafe(32)),
        session_data="",
        user=user,
        authenticated_at=timezone.now(),
        expire_date=timezone.now() + timedelta(hours=1),
    )


def proxy_session(login: LoginSession, application: Application, **changes: Any) -> ProxySession:
    """What the outpost makes of a completed callback."""
    assert login.user is not None
    assert application.provider_id is not None
    session = ProxySession(
        id_hash=secrets.token_bytes(32),
        provider=application.provider_id,
        claims=Claims(sub=login.user.uid, sid=login.sid, preferred_username=login.user.username),
        access_token="a.b.c",
        id_token="d.e.f",
        created=time.time(),
        expires=time.time() + 3600,
    )
    return msgspec.structs.replace(session, **changes)


def enter(login: LoginSession, application: Application) -> ProxySession:
    """A proxy session that the store has taken."""
    session = proxy_session(login, application)
    status, _ = ask("create-session", question(session))
    assert status == 204
    return session


def question(session: ProxySession, state_id: str | None = None) -> CreateSession:
    """Ask to keep ``session``, with a login state of its own unless given."""
    return CreateSession(session, state_id or secrets.token_hex(16), time.time() + 900)


def is_known(session: ProxySession) -> bool:
    """Whether the store still gives this session out."""
    status, _ = ask("find-session", FindSession(session.id_hash, session.provider))
    return status == 200


def ask(name: str, struct: msgspec.Struct) -> tuple[int, bytes]:
    """Put one question to the private app: status and body."""
    return post(f"/rpc/{name}", msgspec.msgpack.encode(struct))


def post(path: str, body: bytes, method: str = "POST") -> tuple[int, bytes]:
    """A raw request to the private app."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    answer = answer_to(environ)
    return answer.status, answer.body
