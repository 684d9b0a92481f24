"""Delete what is over, now and then, behind a question that wrote something.

Nothing depends on it: whatever has expired is invalid when it is read (S-811, S-926). A quiet installation is not
woken up for it.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.db import Error, transaction
from django.utils import timezone

from doorward.identity.authenticators.models import MailedCode, RememberedDevice
from doorward.identity.events.models import Change
from doorward.identity.logins import session_store
from doorward.identity.mail.models import MailLink
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from doorward.identity.outposts.models import KeptUrl, StoredSession, UsedState
from doorward.identity.policies.models import Reputation
from doorward.identity.rpc import urls

EVERY = 300.0
"""Seconds between two sweeps."""
CHANGES_KEPT = 100_000
CHANGES_KEPT_FOR = timedelta(days=1)
_GRACE = timedelta(days=1)
"""Codes and tokens stay so long after their end, so that using one again is recognised as what it is."""

_log = logging.getLogger("doorward.sweep")
_turn = threading.Lock()
_last = [float("-inf")]


def sweep_if_due() -> None:
    """Sweep, unless that was done in the last five minutes or is being done. Never raises."""
    if not _turn.acquire(blocking=False):
        return
    try:
        if time.monotonic() - _last[0] < EVERY:
            return
        _last[0] = time.monotonic()
        sweep()
    except Error:
        _log.warning("could not delete what has expired; it is tried again later", exc_info=True)
    finally:
        _turn.release()


def sweep() -> None:
    """Delete everything that is over; one short transaction per table, so that nobody waits long."""
    now = timezone.now()
    StoredSession.objects.filter(expires__lte=now).delete()
    UsedState.objects.filter(expires__lte=now).delete()
    KeptUrl.objects.filter(created__lte=now - urls.LIFE).delete()
    session_store.sweep()
    Reputation.objects.filter(expires__lte=now).delete()
    MailedCode.objects.filter(expires__lte=now).delete()
    AuthorizationCode.objects.filter(expires__lte=now - _GRACE).delete()
    IssuedToken.objects.filter(expires__lte=now - _GRACE).delete()
    RememberedDevice.objects.filter(expires__lte=now).delete()
    MailLink.objects.filter(expires__lte=now).delete()
    prune_changes()


def prune_changes() -> None:
    """Shorten the change log; its newest entry stays, because its number is the position."""
    with transaction.atomic():
        newest = Change.objects.order_by("-id").values_list("id", flat=True).first()
        if newest is None:
            return
        old = Change.objects.filter(created__lte=timezone.now() - CHANGES_KEPT_FOR)
        (old | Change.objects.filter(id__lte=newest - CHANGES_KEPT)).filter(id__lt=newest).delete()
