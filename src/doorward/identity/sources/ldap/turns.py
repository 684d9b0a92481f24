"""Few may wait for a directory at the same time, and nobody for one that was away a moment ago.

The identity provider has few threads for its pages. A directory that hangs would hold them one after the other, and
nobody could log in any more, those who are not in it included.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils.translation import gettext as _

from doorward.identity.sources.ldap.places import Unreachable

MOST = 2
"""Logins that wait for directories, of the four that the public door has threads for."""
PAUSE = 15.0
"""Seconds for which one that did not answer is not asked again by logins."""

_turns = threading.BoundedSemaphore(MOST)
_away: dict[UUID, float] = {}


@contextmanager
def turn(source: UUID) -> Iterator[None]:
    """Raises Unreachable when there is none to be had."""
    if time.monotonic() < _away.get(source, 0.0):
        raise Unreachable(_("The directory did not answer a moment ago."))
    if not _turns.acquire(timeout=0.2):
        raise Unreachable(_("Too many logins wait for the directory already."))
    try:
        yield
    except Unreachable:
        _away[source] = time.monotonic() + PAUSE
        raise
    finally:
        _turns.release()
    _away.pop(source, None)


def forget() -> None:
    """Ask again at once."""
    _away.clear()
