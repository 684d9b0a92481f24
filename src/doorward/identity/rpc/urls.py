"""Requested URLs that are too long to travel in a login state: at most 1000, for 15 minutes each (S-331, S-917)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from doorward.identity.outposts.models import KeptUrl as Row
from doorward.identity.rpc.answer import DONE, NOT_FOUND, Answer
from doorward.messages.sessions import KeepUrl, KeptUrl, TakeUrl

MOST = 1000
LIFE = timedelta(minutes=15)
LONGEST = 64 << 10
"""Characters: the longest that a request line within the header limit can hold."""


def keep(question: KeepUrl) -> Answer:
    """Keep a URL under a key of the asker's choice; the oldest goes when there are too many."""
    if len(question.key) > 64 or not question.key or len(question.url) > LONGEST or "\0" in question.url:
        return Answer(400)
    with transaction.atomic():
        Row.objects.update_or_create(
            key=question.key, defaults={"url": question.url}, create_defaults={"url": question.url}
        )
        surplus = Row.objects.order_by("-created").values_list("key", flat=True)[MOST:]
        Row.objects.filter(key__in=list(surplus)).delete()
    return DONE


def take(question: TakeUrl) -> Answer:
    """Give a URL back and forget it."""
    with transaction.atomic():
        row = Row.objects.select_for_update().filter(key=question.key, created__gt=timezone.now() - LIFE).first()
        if row is None:
            return NOT_FOUND
        Row.objects.filter(key=row.key).delete()
    return Answer.of(KeptUrl(row.url))
