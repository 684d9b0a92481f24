"""Smooth weighted round robin: of two members weighing 3 and 1 the light one is every fourth, not the last of four.

Earliest deadline first: a member of weight w is due every 1/w, for the first time after half of that, and whoever is
due first is next. The order repeats after as many turns as the weights have together, so it is worked out once and
then only walked around, beginning somewhere: many workers that start together do not all ask the same server first.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import TypeVar

T = TypeVar("T")
_LONGEST = 1024
"""Turns that are worked out beforehand; a longer order is worked out as it goes."""


def rotation(members: Sequence[T], weights: Sequence[int]) -> Callable[[], T | None]:
    """A function that gives the next member whenever it is called; None when there are none."""
    if not members:
        return lambda: None
    divisor = math.gcd(*weights)
    reduced = [weight // divisor for weight in weights]
    total = sum(reduced)
    if total > _LONGEST:
        return in_turn(members, reduced).__next__
    order = list(islice(in_turn(members, reduced), total))
    start = random.randrange(total)  # noqa: S311 - nothing secret: where to begin
    return cycle(order[start:] + order[:start]).__next__


def in_turn(members: Sequence[T], weights: Sequence[int]) -> Iterator[T]:
    """Members in their order, for ever. Whole numbers only: nothing drifts."""
    scale = math.lcm(*weights) * 2
    due = [(scale // weight // 2, index) for index, weight in enumerate(weights)]
    heapq.heapify(due)
    while True:
        deadline, index = due[0]
        heapq.heapreplace(due, (deadline + scale // weights[index], index))
        yield members[index]
