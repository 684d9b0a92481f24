"""Which mark the database carries now, asked as seldom as is safe.

Within a request, the answer is good until the request sends anything but a plain ``SELECT``: from then on it is asked
for anew. In a transaction it is asked for every time: there a lock may have been waited for, and what was written
meanwhile must count; and what the transaction itself has written may be taken back. Outside of requests it is asked for
every time as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

Carried = tuple[object, int]
"""What identifies the mark: never to be read as a number."""


class _Request:
    """Watches what a request sends to the database."""

    def __init__(self) -> None:
        self.known: Carried | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if not (isinstance(sql, str) and sql.startswith("SELECT")):
            self.known = None
        return execute(sql, params, many, context)


_request: ContextVar[_Request | None] = ContextVar("request", default=None)


@contextmanager
def during_a_request() -> Iterator[None]:
    """What happens in here is one request: the mark that its first question finds may serve the following ones."""
    asked = _Request()
    reset = _request.set(asked)
    try:
        with connection.execute_wrapper(asked):
            yield
    finally:
        _request.reset(reset)


def carried() -> Carried | None:
    """The mark; None in a database without one: there nothing may be remembered."""
    asked = _request.get()
    if asked is None or connection.in_atomic_block:
        return _read()
    if asked.known is None:
        asked.known = _read()
    return asked.known


def _read() -> Carried | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT SUM(stamp), COUNT(*) FROM remembered_mark")
        stamp, rows = cursor.fetchone()
    return (stamp, rows) if rows else None
