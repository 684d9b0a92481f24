"""Ends what time has ended: bindings whose date has come, windows that have shut.

Nobody gets in by them any more without this (``moments``); what is open at that moment, and was never asked about
again, is ended here. The chore runs once a minute, and at the very moment at which something ends within the next
minute: a timer wakes it.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from doorward.identity.chores import runner
from doorward.identity.chores.book import Chore
from doorward.identity.policies.models import PolicyBinding, PolicyTarget, TimeWindowPolicy
from doorward.identity.policies.notices import access_ended
from doorward.identity.policies.windows import is_open, next_edge

NAME = "access-ends"
EVERY = timedelta(minutes=1)
LOOK_BACK = timedelta(minutes=5)
"""What ended so long ago at most is looked at (again), in case the program was not running."""
_timers: list[threading.Timer] = []


def end_what_is_over() -> None:
    """Tell the rooms above of every target where somebody may have lost access; set the timer for the next one."""
    now = timezone.now()
    bindings = PolicyBinding.objects.filter(enabled=True, target__in=_over(now))
    for target in PolicyTarget.objects.filter(pk__in=bindings.values("target")).distinct():
        with transaction.atomic():
            access_ended.send(PolicyBinding, target=target)
    _wake_at(_next(now), now)


def look_soon(ends: datetime | None) -> None:
    """A binding that ends was written: after the commit, the timer counts it in."""
    if ends is not None and ends < timezone.now() + EVERY:
        transaction.on_commit(lambda: _wake_at(ends, timezone.now()))


def _over(now: datetime) -> list[UUID]:
    ended = PolicyBinding.objects.filter(expiring=True, expires__lte=now, expires__gt=now - LOOK_BACK)
    shut = [policy.pk for policy in TimeWindowPolicy.objects.all() if _has_just_shut(policy, now)]
    by_window = PolicyBinding.objects.filter(policy__in=shut)
    return list({*ended.values_list("target", flat=True), *by_window.values_list("target", flat=True)})


def _has_just_shut(policy: TimeWindowPolicy, now: datetime) -> bool:
    """A window that has opened is one that was shut for whom it is negated: both edges count."""
    try:
        return is_open(policy, now) is not is_open(policy, now - 2 * EVERY)
    except (KeyError, OSError, ValueError):
        return True


def _next(now: datetime) -> datetime | None:
    soon = now + EVERY
    ends = PolicyBinding.objects.filter(enabled=True, expiring=True, expires__gt=now, expires__lte=soon)
    moments = [ends.order_by("expires").values_list("expires", flat=True).first()]
    for policy in TimeWindowPolicy.objects.filter(bindings__enabled=True).distinct():
        try:
            moments.append(next_edge(policy, now))
        except (KeyError, OSError, ValueError):
            continue
    return min((moment for moment in moments if moment is not None and moment <= soon), default=None)


def _wake_at(moment: datetime | None, now: datetime) -> None:
    _timers[:] = [timer for timer in _timers if timer.is_alive()]
    if moment is not None:
        timer = threading.Timer(max((moment - now).total_seconds(), 0.0) + 0.05, runner.wake, (NAME,))
        timer.daemon = True
        timer.start()
        _timers.append(timer)


def _anything_ends() -> bool:
    return PolicyBinding.objects.filter(expiring=True).exists() or TimeWindowPolicy.objects.exists()


CHORES = (Chore(NAME, EVERY, end_what_is_over, needed=_anything_ends),)
