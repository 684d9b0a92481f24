"""Writing down an authorization code: what is allowed, to whom, for how long."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import timedelta

from django.utils import timezone

from doorward.identity import durations
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2 import claims_request
from doorward.identity.oauth2.authorization_request import AuthorizationRequest
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken, PushedRequest, UsedAssertion

LONGEST_LIFE = timedelta(minutes=10)
"""RFC 6749 section 4.1.2; the default of a provider is one minute."""


def create(request: AuthorizationRequest, user: User, login: LoginSession, *, acr: str, family: str) -> str:
    """A new code for ``request``."""
    code = secrets.token_urlsafe(32)
    provider = request.client.provider
    now = timezone.now()
    AuthorizationCode.objects.create(
        code_hash=vault.digest(code),
        provider=provider,
        user=user,
        login_session=login,
        sid=login.sid,
        redirect_uri=request.return_to.redirect_uri,
        scope=" ".join(request.scopes),
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        auth_time=login.authenticated_at or now,
        amr=list(login.methods),
        acr=acr,
        claims=claims_request.stored(request.claims),
        family=family,
        expires=now + min(durations.parse(provider.access_code_validity), LONGEST_LIFE),
    )
    _sweeper.perhaps()
    return code


class _Sweeper:
    """Deletes what can no longer be used, nor be replayed, at most every ten minutes."""

    EVERY = 600.0
    """Seconds."""
    KEPT = timedelta(days=1)
    """After its end: a replay within that time is still recognised as one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def perhaps(self) -> None:
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                return
            self._next = now + self.EVERY
        oldest = timezone.now() - self.KEPT
        AuthorizationCode.objects.filter(expires__lt=oldest).delete()
        IssuedToken.objects.filter(expires__lt=oldest).delete()
        PushedRequest.objects.filter(expires__lt=oldest).delete()
        UsedAssertion.objects.filter(expires__lt=oldest).delete()


_sweeper = _Sweeper()
