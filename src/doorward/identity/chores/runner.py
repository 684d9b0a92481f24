"""Does the chores: one thread keeps the time, each chore that is due gets one of its own.

    due and needed, or woken ──► claimed by an UPDATE that one replica wins ──► run ──► given back, next time noted

Nothing is kept in memory but who was woken: a process that dies loses at most that, and the chore's next time comes.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import Error, connection
from django.db.models import Q
from django.utils import timezone

from doorward.identity.chores.book import Chore, chores
from doorward.identity.chores.models import Turn

LONGEST_NAP = 30.0
"""Seconds after which it is looked whether another replica has left something undone."""
RETRY = 1.0
"""Seconds until a chore that was woken while it ran is tried again."""
GRACE = 5.0
"""Seconds that running chores are given when the program stops."""

_log = logging.getLogger("doorward.chores")
_woken: set[str] = set()
_bell = threading.Event()
_stopping = threading.Event()
_running: dict[str, threading.Thread] = {}
_keepers: list[threading.Thread] = []


def wake(name: str) -> None:
    """Have the chore done as soon as possible; returns at once. To be called after the transaction's commit."""
    assert name in chores(), name
    _woken.add(name)
    _bell.set()


def start() -> None:
    """Begin to keep the time, in a thread of its own. Does nothing when there are no chores."""
    if chores():
        keeper = threading.Thread(target=_keep_time, name="chores", daemon=True)
        _keepers.append(keeper)
        keeper.start()


def stop() -> None:
    """Begin nothing more, and give what runs a few seconds."""
    _stopping.set()
    _bell.set()
    for thread in (*_keepers, *_running.values()):
        thread.join(GRACE)
    _keepers.clear()


def run_now(name: str) -> bool:
    """Do the chore here and now, unless somebody is at it (False). Whatever it raises is raised."""
    chore = chores()[name]
    _introduce()
    if not _claimed(chore, woken=True):
        return False
    try:
        chore.run()
    except BaseException as error:
        _give_back(chore, f"{type(error).__name__}: {error}")
        raise
    _give_back(chore, "")
    return True


def _keep_time() -> None:
    nap = 0.0
    introduced = False
    while not _stopping.is_set():
        _bell.wait(nap)
        _bell.clear()
        try:
            if not introduced:
                _introduce()
                introduced = True
            nap = _begin_what_is_due()
        except Error:
            _log.warning("cannot see which chores are due; looked at again in a moment", exc_info=True)
            nap = LONGEST_NAP
        finally:
            connection.close()


def _introduce() -> None:
    """A row for each chore that has none. What is new is due at once."""
    now = timezone.now()
    known = set(Turn.objects.values_list("name", flat=True))
    fresh = [Turn(name=name, due=now) for name in chores() if name not in known]
    if fresh:
        Turn.objects.bulk_create(fresh, ignore_conflicts=True)


def _begin_what_is_due() -> float:
    """Seconds until something is due again."""
    now = timezone.now()
    turns = {turn.name: turn for turn in Turn.objects.filter(name__in=chores())}
    nap = LONGEST_NAP
    for name, chore in chores().items():
        woken, turn = name in _woken, turns.get(name)
        if turn is None:
            continue
        if woken or turn.due <= now:
            if name in _running or (turn.busy_until is not None and turn.busy_until > now):
                nap = min(nap, RETRY) if woken else nap
                continue
            _woken.discard(name)
            nap = min(nap, chore.every.total_seconds())
            if (woken or chore.needed()) and _claimed(chore, woken):
                _running[name] = threading.Thread(target=_run, args=(chore,), name=f"chore-{name}", daemon=True)
                _running[name].start()
        else:
            nap = min(nap, max((turn.due - now).total_seconds(), 0.01))
    return nap


def _claimed(chore: Chore, woken: bool) -> bool:
    now = timezone.now()
    free = Turn.objects.filter(Q(busy_until=None) | Q(busy_until__lte=now), name=chore.name)
    mine = free if woken else free.filter(due__lte=now)
    return mine.update(due=now + chore.every, busy_until=now + chore.longest, begun=now) == 1


def _run(chore: Chore) -> None:
    failure = ""
    try:
        chore.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other chores go on
        failure = f"{type(error).__name__}: {error}"
        _log.exception("the chore %s failed; it is tried again in %s", chore.name, _in_words(chore.every))
    try:
        _give_back(chore, failure)
    except Error:
        _log.warning("cannot note that the chore %s has ended; others wait until it is overdue", chore.name)
    finally:
        connection.close()
        _running.pop(chore.name, None)
        _bell.set()


def _give_back(chore: Chore, failure: str) -> None:
    Turn.objects.filter(name=chore.name).update(busy_until=None, ended=timezone.now(), failure=failure[:300])


def _in_words(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"
