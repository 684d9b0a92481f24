"""Authorization requests that the client itself brought (RFC 9126): what the browser carries is a reference only.

A reference works for ninety seconds until it is opened, in one browser, which then has a quarter of an hour to log in;
it is answered once. Between opening and answering the browser comes back several times (login, consent): the session
remembers what it has opened, so a reference that somebody else has seen is worth nothing.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.oauth2.models import OAuth2Provider, PushedRequest
from doorward.identity.oauth2.parameters import Parameters

PREFIX = "urn:ietf:params:oauth:request_uri:"
VALID_FOR = timedelta(seconds=90)
TIME_TO_LOG_IN = timedelta(minutes=15)
MOST_WAITING = 1000
"""Of one client; a public one needs no secret to push."""
LARGEST = 16_384
"""Characters of all parameters together."""
_OPENED = "oauth2.pushed"
_MOST_OPENED = 5


def push(provider: OAuth2Provider, parameters: dict[str, str]) -> str:
    """The reference to ``parameters``; empty if too many are waiting."""
    now = timezone.now()
    waiting = PushedRequest.objects.filter(provider=provider)
    waiting.filter(expires__lt=now).delete()
    if waiting.count() >= MOST_WAITING:
        return ""
    reference = f"{PREFIX}{secrets.token_urlsafe(32)}"
    PushedRequest.objects.create(
        reference_hash=vault.digest(reference), provider=provider, parameters=parameters, expires=now + VALID_FOR
    )
    return reference


def find(client_id: str, reference: str) -> PushedRequest | None:
    """The request behind a reference, while it can be answered and if it is this client's."""
    row = PushedRequest.objects.select_related("provider").filter(reference_hash=vault.digest(reference)).first()
    if row is None or row.provider.client_id != client_id:
        return None
    return row if row.answered_at is None and row.expires > timezone.now() else None


def parameters_of(row: PushedRequest) -> Parameters:
    return Parameters(values={str(name): str(value) for name, value in row.parameters.items()}, repeated=frozenset())


def opened_here(request: HttpRequest, reference_hash: str) -> bool:
    """Whether this browser has opened the request, or is the first to."""
    opened = request.session.get(_OPENED, [])
    if reference_hash in opened:
        return True
    now = timezone.now()
    first = PushedRequest.objects.filter(reference_hash=reference_hash, opened_at=None)
    if not first.update(opened_at=now, expires=now + TIME_TO_LOG_IN):
        return False
    request.session[_OPENED] = [*opened, reference_hash][-_MOST_OPENED:]
    return True


def answer(reference_hash: str) -> bool:
    """Use the request up; False if that has happened before."""
    now = timezone.now()
    return bool(PushedRequest.objects.filter(reference_hash=reference_hash, answered_at=None).update(answered_at=now))
