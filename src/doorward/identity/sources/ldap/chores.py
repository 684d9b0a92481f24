"""Directories are copied once an hour, each at a minute of its own, and at once when somebody asks."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from django.utils import timezone

from doorward.identity.chores.book import Chore
from doorward.identity.chores.models import Turn
from doorward.identity.sources.ldap.models import LDAPSource, Sync

NAME = "ldap"
INTERVAL = timedelta(hours=1)
PATIENCE = timedelta(minutes=10)
"""After which a copy of which nothing was heard is begun again by somebody else."""


def run() -> None:
    """Copy those whose time has come. One that fails does not keep the others waiting."""
    for source in LDAPSource.objects.filter(enabled=True).order_by("pk"):
        if source.sync_users or source.sync_groups:
            state, _new = Sync.objects.get_or_create(source=source)
            if is_due(state, timezone.now()):
                from doorward.identity.sources.ldap.syncing import sync

                sync(source)


def is_due(state: Sync, now: datetime) -> bool:
    """Asked for since the last one began, or an hour and its own share of the next one after it."""
    if state.begun is None:
        return True
    if state.wanted is not None and state.wanted > state.begun:
        return True
    return now >= state.begun + INTERVAL + timedelta(seconds=zlib.crc32(str(state.source_id).encode()) % 600)


def still_at_it() -> None:
    """Whoever copies a large directory says so now and then, so that no other replica takes it for dead."""
    Turn.objects.filter(name=NAME, busy_until__isnull=False).update(busy_until=timezone.now() + PATIENCE)


def _any() -> bool:
    return LDAPSource.objects.filter(enabled=True).exists()


CHORES = (Chore(NAME, timedelta(minutes=5), run, needed=_any, longest=PATIENCE),)
