"""Notices that a file of the folders has changed, and has the chore done that applies it.

Looks at the folders every two seconds: that is a handful of system calls, works on every kind of volume, and needs no
library that would stay in memory.
"""

from __future__ import annotations

import threading

from doorward.identity.blueprints.chores import NAME
from doorward.identity.blueprints.folder import signature
from doorward.identity.chores import runner

INTERVAL = 2.0
_stopping = threading.Event()


def start() -> None:
    """In a thread of its own."""
    threading.Thread(target=_watch, name="blueprints", daemon=True).start()


def stop() -> None:
    _stopping.set()


def _watch() -> None:
    seen = signature()
    while not _stopping.wait(INTERVAL):
        now = signature()
        if now != seen:
            seen = now
            runner.wake(NAME)
