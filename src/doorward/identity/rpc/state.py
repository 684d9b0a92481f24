"""What the data plane must know, from a place in the change log on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from django.db import connection, transaction
from django.db.models import Min

from doorward.identity.events.models import Change
from doorward.identity.outposts import queries as outposts
from doorward.identity.outposts.models import Outpost
from doorward.identity.rpc.answer import Answer
from doorward.messages.sessions import FetchState, IdentityState


def fetch(question: FetchState, outpost: Outpost | None = None) -> Answer:
    """Everything after ``since``; the whole of it for who has never asked (``since`` of 0 or less). ``outpost``: whose
    configuration it is, if not the embedded one's."""
    with _snapshot():  # nothing is told that is newer than ``position``
        return Answer.of(_state(question.since, outpost))


@contextmanager
def _snapshot() -> Iterator[None]:
    """One view of the database, which waits for nobody who writes.

    Our transactions on SQLite ask for the right to write as they begin. Here that would mean that while many people
    log in, workers do not learn who was signed out.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def _state(since: int, outpost: Outpost | None) -> IdentityState:
    position = outposts.position()
    oldest: int = Change.objects.aggregate(oldest=Min("id"))["oldest"] or 0
    # Pruned beyond ``since``, or a database put back from before it: the asker's knowledge is worth nothing.
    lost = since > position or (since < position and since + 1 < oldest)
    changes = Change.objects.filter(id__gt=since, id__lte=position)
    ended: tuple[bytes, ...] = ()
    if not lost:
        subjects = changes.filter(kind=Change.Kind.SESSION_ENDED).order_by("id").values_list("subject", flat=True)
        ended = tuple(bytes.fromhex(subject) for subject in subjects)
    differs = lost or since <= 0 or changes.filter(kind=Change.Kind.OUTPOSTS).exists()
    return IdentityState(
        position=position,
        ended_sessions=ended,
        all_ended=lost,
        configuration=msgspec.msgpack.encode(outposts.configuration(outpost)) if differs else b"",
    )
