"""For how long, and from where, a "yes" is good.

Most bindings say the same until somebody changes something, and a change is told (``notices``). Some say something else
at another time or at another address without anything having changed: whoever keeps their answer asks again then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.identity.policies.models import (
    ExpressionPolicy,
    GeoIPPolicy,
    NetworkPolicy,
    PasswordExpiryPolicy,
    Policy,
    PolicyBinding,
    ReputationPolicy,
    TimeWindowPolicy,
)
from doorward.identity.policies.windows import next_edge

A_WHILE = timedelta(seconds=5)
"""After which what depends on the time in a way that nobody can foresee is asked anew."""
_OF_TIME = re.compile(r"\b(?:now|today|reputation)\b")
_OF_PLACE = re.compile(r"\b(?:ak_client_ip|http_request)\b")


@dataclass(frozen=True, slots=True)
class Good:
    """``until`` None: until a change is told. ``here``: at the address from which was asked, and nowhere else."""

    until: datetime | None = None
    here: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to ask again about."""
        return self.here or self.until is not None

    def and_(self, other: Good) -> Good:
        """As narrow as both."""
        times = [each.until for each in (self, other) if each.until is not None]
        return Good(min(times, default=None), self.here or other.here)


ALWAYS = Good()


def good(bindings: Iterable[PolicyBinding], now: datetime) -> Good:
    """For how long what these bindings say together is good."""
    found = ALWAYS
    for binding in bindings:
        if not binding.enabled or binding.has_ended(now):
            continue
        if binding.expiring:
            found = found.and_(Good(binding.expires))
        if binding.policy is not None:
            found = found.and_(_of(binding.policy, now))
    return found


def _of(policy: Policy, now: datetime) -> Good:
    own = policy.concrete()
    match own:
        case TimeWindowPolicy():
            return _window(own, now)
        case NetworkPolicy():
            return Good(here=True)
        case GeoIPPolicy():
            return Good(now + A_WHILE, here=True) if own.check_impossible_travel else Good(here=True)
        case ReputationPolicy():
            return Good(now + A_WHILE, here=own.check_ip)
        case PasswordExpiryPolicy():
            return Good(now + timedelta(minutes=1))
        case ExpressionPolicy():
            # A word in a text or a comment counts as well: then it is asked too often, and never too seldom.
            time, place = _OF_TIME.search(own.expression), _OF_PLACE.search(own.expression)
            return Good(now + A_WHILE if time else None, here=bool(place))
    return ALWAYS


def _window(policy: TimeWindowPolicy, now: datetime) -> Good:
    try:
        return Good(next_edge(policy, now))
    except (KeyError, OSError, ValueError):  # its zone is gone: it says nothing, and nobody knows for how long
        return Good(now + A_WHILE)
