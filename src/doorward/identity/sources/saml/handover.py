"""From the form that brings an answer to the page that may look at the browser's cookie.

An identity provider's form is posted from its own site, and browsers send no cookie of ours with that. So what was
believed waits here, under a handle of 256 random bits, while the browser is told to come for it with a GET. It is
taken once, within two minutes.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

import msgspec
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.sources.saml.answers import Vouched
from doorward.identity.sources.saml.models import Handed, SAMLSource

LONGEST = timedelta(minutes=2)


def keep(source: SAMLSource, said: Vouched) -> str:
    """The handle."""
    handle = secrets.token_urlsafe(32)
    waits = Handed(digest=vault.digest(handle), source=source, until=timezone.now() + LONGEST)
    waits.sealed_answer = vault.seal(msgspec.json.encode(said).decode(), waits.place())
    waits.save(force_insert=True)
    return handle


def take(source: SAMLSource, handle: str) -> Vouched | None:
    """What waits there, for the one who is first; None for everybody else. Raises vault.Unreadable."""
    found = Handed.objects.filter(digest=vault.digest(handle), source=source, until__gt=timezone.now()).first()
    if found is None or not Handed.objects.filter(digest=found.digest).delete()[0]:
        return None
    return msgspec.json.decode(vault.unseal(found.sealed_answer, found.place()), type=Vouched)
