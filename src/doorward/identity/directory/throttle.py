"""How often a password may be tried (security.md section 3; S-506, S-507).

An attempt is *reserved* before the password is looked at, so that fifty at once cannot all be looked at: five per
account in five minutes, then a ban of five minutes that doubles with each further one up to an hour; thirty per
address in five minutes. Success clears the account's count and gives the address its one attempt back.

Kept in this process's memory, on the monotonic clock (S-812); at most ``LARGEST`` entries, the oldest goes first, so
that a flood of names cannot fill the memory (S-917). A restart forgets: starting takes longer than a ban helps.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from doorward.identity.directory.errors import TooManyAttempts

WINDOW = 300.0
"""Seconds."""
PER_ACCOUNT = 5
PER_ADDRESS = 30
FIRST_BAN = 300.0
LONGEST_BAN = 3600.0
FORGIVEN_AFTER = 86400.0
"""Seconds without a failure after which the next ban is a first one again."""
LARGEST = 20_000


@dataclass(slots=True)
class _Count:
    attempts: list[float] = field(default_factory=list)
    bans: int = 0
    banned_until: float = 0.0
    last: float = 0.0


class Throttle:
    """One table for all doors: flow pages, API, Basic authentication (S-507)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def reserve(self, account: str, address: str | None) -> Attempt:
        """Count one attempt at ``account`` (whoever it turns out to be: use the user's key, not what was typed).

        Raises TooManyAttempts for the address. A banned account is not an error but ``Attempt.allowed`` false: the
        answer must be the same as for a wrong password.
        """
        with self._lock:
            now = self._now()
            place = _network(address)
            if place:
                self._charge_address(place, now)
            return Attempt(self, account, place, now, self._charge_account(account, now))

    def _charge_address(self, place: str, now: float) -> None:
        count = self._count("address:" + place, now)
        if len(count.attempts) >= PER_ADDRESS:
            raise TooManyAttempts(count.attempts[0] + WINDOW - now)
        count.attempts.append(now)

    def _charge_account(self, account: str, now: float) -> bool:
        count = self._count("account:" + account, now)
        if now < count.banned_until:
            return False
        if len(count.attempts) >= PER_ACCOUNT:
            count.banned_until = now + min(FIRST_BAN * 2**count.bans, LONGEST_BAN)
            count.bans = min(count.bans + 1, 16)
            count.attempts.clear()
            return False
        count.attempts.append(now)
        return True

    def _count(self, name: str, now: float) -> _Count:
        count = self._counts.setdefault(name, _Count())
        self._counts.move_to_end(name)
        while len(self._counts) > LARGEST:
            self._counts.popitem(last=False)
        count.attempts = [moment for moment in count.attempts if now - moment < WINDOW]
        if now - count.last > FORGIVEN_AFTER:
            count.bans = 0
        count.last = now
        return count

    def _succeeded(self, attempt: Attempt) -> None:
        with self._lock:
            self._counts.pop("account:" + attempt.account, None)
            address = self._counts.get("address:" + attempt.place)
            if address and attempt.moment in address.attempts:
                address.attempts.remove(attempt.moment)

    def forget(self) -> None:
        """Drop all counts."""
        with self._lock:
            self._counts.clear()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reserved attempt. ``allowed`` false: do not look at the password, answer as if it were wrong."""

    throttle: Throttle
    account: str
    place: str
    moment: float
    allowed: bool

    def succeeded(self) -> None:
        """The password was right."""
        self.throttle._succeeded(self)


def _network(address: str | None) -> str:
    """One IPv4 address, or the /64 in which an IPv6 host can choose freely."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
