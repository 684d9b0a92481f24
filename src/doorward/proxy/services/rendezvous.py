"""Highest random weight: every member draws a number for a client, always the same, and the highest wins.

All workers and all machines agree without talking, and when a member leaves only its own clients move.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


def highest(members: Iterable[tuple[T, str, int]], client: str) -> T:
    """The winner among (member, name, weight); a member of twice the weight wins twice the clients."""
    return max(members, key=lambda member: _score(member[1], member[2], client))[0]


@lru_cache(maxsize=16384)
def _score(name: str, weight: int, client: str) -> float:
    drawn = hashlib.blake2b(f"{name}\n{client}".encode(), digest_size=8).digest()
    chance = (int.from_bytes(drawn, "big") + 1) / (2**64 + 2)
    return -weight / math.log(chance)
