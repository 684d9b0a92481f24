"""Keep, find and end proxy sessions.

The session as a whole (claims, tokens) is encrypted at rest, bound to its row (S-803). Creating one checks again, in
one transaction with the single use of the login state, that everything it stands on is still there: a callback that
completes after a logout makes no session (S-325).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import application_of_provider
from doorward.identity.crypto import vault
from doorward.identity.logins import queries as logins
from doorward.identity.outposts import revocation
from doorward.identity.outposts.models import StoredSession, UsedState
from doorward.identity.policies import moments
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.moments import Good
from doorward.identity.policies.queries import bindings_on, judge, memberships, verdict
from doorward.identity.rpc.answer import DONE, GONE, NOT_FOUND, USED, Answer
from doorward.messages.sessions import (
    CreateSession,
    EndSession,
    EndSubject,
    FindSession,
    ProxySession,
    SessionsSeen,
)

TOLD_WITHIN = timedelta(seconds=90)
"""Workers say once a minute which sessions were used."""
MOST_SEEN = 1000
_log = logging.getLogger("doorward.rpc")


def find(question: FindSession) -> Answer:
    """The session, unless it has expired (S-811), belongs to another provider (S-317), or does not let in now or from
    there: where time or address decide, that is judged here, and how long the answer is good goes with it."""
    live = StoredSession.objects.filter(
        id_hash=question.id_hash.hex(),
        provider_id=question.provider,
        expires__gt=timezone.now(),
        user__is_active=True,
    )
    row = live.select_related("provider", "user", "login_session").first()
    if row is None or _is_idle(row):
        return NOT_FOUND
    try:
        sealed = vault.unseal_bytes(row.sealed, place(row.id_hash))
    except vault.Unreadable:
        _log.exception("a proxy session cannot be decrypted: its user has to log in again")
        return NOT_FOUND
    good = _good(row, question.client_ip)
    if good is None:
        return NOT_FOUND
    session = msgspec.msgpack.decode(sealed, type=ProxySession)
    return Answer.of(
        msgspec.structs.replace(
            session,
            last_seen=row.last_seen.timestamp(),
            good_until=good.until.timestamp() if good.until else 0.0,
            good_at=question.client_ip if good.here else "",
        )
    )


def _good(row: StoredSession, client_ip: str) -> Good | None:
    """For how long the session lets in; None where it does not."""
    application = application_of_provider(row.provider_id)
    if application is None:
        return None
    bindings = bindings_on(application.pk)
    good = moments.good(bindings, timezone.now())
    if good.here and not client_ip:
        return None
    ended = any(binding.has_ended(timezone.now()) for binding in bindings)
    if not good and not ended:
        return good  # every change that could make a difference is told, and ends it
    asked = replace(Asked.since(row.login_session), client_ip=client_ip)
    judged = judge(bindings, application.policy_engine_mode, row.user, memberships(row.user), asked)
    return good if judged.passing else None


def seen(question: SessionsSeen, providers: frozenset[int] | None = None) -> Answer:
    """Note when these were last used; what another worker has said meanwhile is never put back.

    ``providers``: keys of those whose sessions count, where not all do.
    """
    known = StoredSession.objects.all()
    if providers is not None:
        known = known.filter(provider_id__in=providers)
    with transaction.atomic():
        for used in question.seen[:MOST_SEEN]:
            at = min(moment(used.at), timezone.now())
            known.filter(id_hash=used.id_hash.hex(), last_seen__lt=at).update(last_seen=at)
    return DONE


def _is_idle(row: StoredSession) -> bool:
    """Nobody used it for as long as its provider allows, even if the last use was not told yet: then it ends."""
    limit = durations.parse(row.provider.idle_limit)
    if not limit or row.last_seen + limit + TOLD_WITHIN > timezone.now():
        return False
    with transaction.atomic():
        revocation.end_sessions(StoredSession.objects.filter(pk=row.pk))
    return True


def create(question: CreateSession) -> Answer:
    """Keep a session, once per login state."""
    with transaction.atomic():
        if not _use_state(question):
            return USED
        return DONE if _keep(question) else GONE


def _use_state(question: CreateSession) -> bool:
    try:
        with transaction.atomic():
            UsedState.objects.create(state_id=question.state_id, expires=moment(question.state_expires))
    except IntegrityError:
        return False
    return True


def _keep(question: CreateSession) -> bool:
    session = question.session
    login = logins.live_by_sid(session.claims.sid, lock=True)
    application = application_of_provider(session.provider)
    if login is None or login.user is None or application is None or not _has_proxy(application):
        return False
    if (
        session.expires <= timezone.now().timestamp()
        or not verdict(application, login.user, Asked.since(login)).passing
    ):
        return False
    id_hash = session.id_hash.hex()
    if len(session.id_hash) != 32 or StoredSession.objects.filter(id_hash=id_hash).exists():
        return False
    StoredSession.objects.create(
        id_hash=id_hash,
        provider_id=session.provider,
        user=login.user,
        login_session=login,
        subject=session.claims.sub,
        sid=session.claims.sid,
        sealed=vault.seal_bytes(msgspec.msgpack.encode(session), place(id_hash)),
        created=moment(session.created),
        expires=moment(session.expires),
    )
    return True


def _has_proxy(application: Application) -> bool:
    return application.provider is not None and application.provider.kind == "proxy"


def end(question: EndSession) -> Answer:
    """End one session; when the answer has been read, no worker finds it any more."""
    with transaction.atomic():
        revocation.end_sessions(
            StoredSession.objects.filter(id_hash=question.id_hash.hex(), provider_id=question.provider)
        )
    return DONE


def end_subject(question: EndSubject) -> Answer:
    """End all proxy sessions of whoever has this subject at any provider: subjects may differ between providers."""
    with transaction.atomic():
        users = StoredSession.objects.filter(subject=question.subject).values_list("user", flat=True)
        revocation.end_sessions(StoredSession.objects.filter(user__in=list(users.distinct())))
    return DONE


def moment(seconds: float) -> datetime:
    # Far beyond every validity that a provider can have; keeps dates within what databases take.
    return datetime.fromtimestamp(min(max(seconds, 0.0), 32503680000.0), UTC)


def place(id_hash: str) -> str:
    return f"outposts.storedsession:{id_hash}"
