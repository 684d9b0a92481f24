"""``@remembered`` above a function that reads configuration: its answers are kept for as long as the mark stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from doorward.identity.remembered import marks
from doorward.identity.remembered.copies import copied

P = ParamSpec("P")
T = TypeVar("T")

MOST = 2000
"""Answers that a process keeps. Beyond it everything is forgotten, and what is in use comes back by itself."""


def remembered(load: Callable[P, T]) -> Callable[P, T]:
    """Keep what ``load`` answers, by its arguments, which must be plain and hashable.

    It may read watched tables alone (``watched``), and answer with objects of these only: else NotConfiguration is
    raised. None is not kept: nobody fills the memory by asking for what is not there.
    """
    name = f"{load.__module__}.{load.__qualname__}"

    @wraps(load)
    def recall(*args: P.args, **kwargs: P.kwargs) -> T:
        mark = marks.carried()
        if mark is None:
            return load(*args, **kwargs)
        key = (mark, name, args, tuple(kwargs.items()))
        kept: T | None = _memory.get(key)
        if kept is None:
            found = load(*args, **kwargs)
            if found is None:
                return found
            kept = copied(found)
            _memory.keep(key, kept)
        return copied(kept)

    return recall


class _Memory:
    """Answers by key; shared by all threads, and never handed out themselves."""

    def __init__(self) -> None:
        self._kept: dict[object, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: object) -> Any:
        return self._kept.get(key)

    def keep(self, key: object, answer: object) -> None:
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept = {}
            self._kept[key] = answer


_memory = _Memory()
