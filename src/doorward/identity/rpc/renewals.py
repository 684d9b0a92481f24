"""Give a proxy session new tokens, one worker at a time.

A refresh token works once, and presenting it a second time revokes everything it stands for. So a worker claims it
before it uses it; a claim that leads to nothing ends by itself after some seconds.
"""

from __future__ import annotations

import re

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.crypto import vault
from doorward.identity.outposts.models import StoredSession, UsedState
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict
from doorward.identity.rpc.answer import DONE, NOT_FOUND, USED, Answer
from doorward.identity.rpc.sessions import moment, place
from doorward.messages.sessions import ClaimRenewal, RenewSession

_CLAIM = re.compile(r"[0-9a-f]{64}")


def claim(question: ClaimRenewal) -> Answer:
    """Let one worker use the refresh token, and keep the others away for a while."""
    if _CLAIM.fullmatch(question.claim) is None:
        return Answer(400)
    state_id = f"r:{question.claim[:62]}"
    with transaction.atomic():
        if not _live(question.id_hash, question.provider).exists():
            return NOT_FOUND
        UsedState.objects.filter(state_id=state_id, expires__lte=timezone.now()).delete()
        try:
            with transaction.atomic():
                UsedState.objects.create(state_id=state_id, expires=moment(question.until))
        except IntegrityError:
            return USED
        return DONE


def renew(question: RenewSession) -> Answer:
    """Replace tokens and claims; whose session it is and when it ends stays as it was."""
    session = question.session
    with transaction.atomic():
        live = _live(session.id_hash, session.provider).select_related("user", "login_session")
        row = live.select_for_update(of=("self",)).first()
        application = Application.objects.filter(provider_id=session.provider).first()
        if row is None or application is None or row.subject != session.claims.sub:
            return NOT_FOUND
        if not verdict(application, row.user, Asked.since(row.login_session)).passing:
            return NOT_FOUND
        kept = msgspec.structs.replace(session, expires=row.expires.timestamp(), created=row.created.timestamp())
        row.sealed = vault.seal_bytes(msgspec.msgpack.encode(kept), place(row.id_hash))
        row.save(update_fields=["sealed"])
        return DONE


def _live(id_hash: bytes, provider: int) -> QuerySet[StoredSession]:
    return StoredSession.objects.filter(
        id_hash=id_hash.hex(), provider_id=provider, expires__gt=timezone.now(), user__is_active=True
    )
