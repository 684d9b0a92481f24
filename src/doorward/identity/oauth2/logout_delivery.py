"""Delivers logout tokens (OpenID Connect Back-Channel Logout 1.0), behind everybody's back: a slow client holds up
neither the logout nor the other clients.

A token is made for each attempt, for it is good for two minutes only. What is not accepted is tried again after half
a minute, then ever more seldom, for about a day; then an event says that the client was never told.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.egress import client as egress
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.models import LogoutNotice, OAuth2Provider
from doorward.identity.oauth2.signing import signer_of

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_TYPE = "logout+jwt"  # noqa: S105 - a media type
LIFE = timedelta(minutes=2)
SECONDS = 5.0
"""For one client to answer (S-444)."""
AT_ONCE = 8
"""Clients that are told at the same time."""
BATCH = 100
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200))
"""After the first failure, the second …; after the last one it is given up."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent, read from the database beforehand: the threads that send touch none."""

    notice: LogoutNotice
    uri: str
    body: bytes
    private: bool


@dataclass(frozen=True, slots=True)
class _Result:
    notice: LogoutNotice
    trouble: str = ""
    final: bool = False
    """Trying again does not help."""


def is_due() -> bool:
    """Whether somebody is to be told by now."""
    return LogoutNotice.objects.filter(due__lte=timezone.now()).exists()


def deliver() -> None:
    """Tell everybody who is to be told by now."""
    while letters := _due():
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="logout-notice") as pool:
            for result in pool.map(_sent, letters):
                _settle(result)


def token_of(provider: OAuth2Provider, *, sub: str, sid: str) -> str:
    """A logout token (section 2.4): no ``nonce``, and a type that nothing else has."""
    now = timezone.now()
    claims: dict[str, object] = {
        "iss": issuer_of(provider),
        "sub": sub,
        "aud": provider.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFE).timestamp()),
        "jti": secrets.token_hex(16),
        "events": {EVENT: {}},
        "sid": sid,
    }
    return signer_of(provider).sign(claims, TOKEN_TYPE)


def _due() -> list[_Letter]:
    """Whom nobody can be told for any more (the address, the application or the key is gone) is dropped."""
    rows = LogoutNotice.objects.filter(due__lte=timezone.now()).select_related(
        "provider__application", "provider__signing_key"
    )[:BATCH]
    letters, gone = [], []
    for row in rows:
        letter = _letter(row)
        if letter is None:
            gone.append(row.pk)
        else:
            letters.append(letter)
    LogoutNotice.objects.filter(pk__in=gone).delete()
    # Should this process die on the way, they are due again.
    LogoutNotice.objects.filter(pk__in=[letter.notice.pk for letter in letters]).update(due=timezone.now() + WAITS[0])
    return letters


def _letter(row: LogoutNotice) -> _Letter | None:
    provider = row.provider
    if not provider.logout_uri or getattr(provider, "application", None) is None:
        return None
    try:
        token = token_of(provider, sub=row.sub, sid=row.sid)
    except vault.Unreadable:
        return None
    body = urlencode({"logout_token": token}).encode()
    return _Letter(row, provider.logout_uri, body, provider.logout_uri_trusted)


def _sent(letter: _Letter) -> _Result:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = egress.ask(
            "POST", letter.uri, headers=headers, body=letter.body, private=letter.private, seconds=SECONDS
        )
    except egress.Refused as error:
        return _Result(letter.notice, str(error), final=True)
    except egress.NotAsked as error:
        return _Result(letter.notice, str(error))
    if 200 <= answer.status < 300:
        return _Result(letter.notice)
    return _Result(letter.notice, f"It answered with the status {answer.status}.")


def _settle(result: _Result) -> None:
    notice = result.notice
    tries = notice.tries + 1
    if result.trouble and not result.final and tries <= len(WAITS):
        due = timezone.now() + WAITS[tries - 1]
        LogoutNotice.objects.filter(pk=notice.pk).update(tries=tries, trouble=result.trouble[:300], due=due)
        return
    with transaction.atomic():
        LogoutNotice.objects.filter(pk=notice.pk).delete()
        _record(notice, tries, result.trouble)


def _record(notice: LogoutNotice, tries: int, trouble: str) -> None:
    name = notice.provider.application.name
    told = f"{name} was told that a login of {notice.username} has ended"
    not_told = f"{name} could not be told that a login of {notice.username} has ended: {trouble}"
    events.record(
        "system_task_exception" if trouble else "system_task_execution",
        "authentik.providers.oauth2",
        Actor.system(),
        message=not_told if trouble else told,
        provider=notice.provider,
        about=notice.username,
        address=notice.provider.logout_uri,
        tries=tries,
    )
