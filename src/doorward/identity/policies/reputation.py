"""Scores of names and addresses: each failed login takes one away, each successful one gives one back.

A score is that of one name at one address and lies between -5 and 5; a policy adds up all of the name's, all of the
address's, or both. It is forgotten a day after it has changed last. A name that nobody has is scored like one that
somebody has, so that what a policy does with it tells nothing (S-504); and rows are bounded, however many names a
flood of logins invents (S-917).
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from itertools import count

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.directory.names import folded
from doorward.identity.policies.models import Reputation

LOWEST, HIGHEST = -5, 5
LASTS = timedelta(days=1)
MOST = 50_000
"""Rows; beyond it the ones that changed longest ago go."""
_LOOK_EVERY = 256
_begun = count(1)


def failed(user: User | None, typed: str, client_ip: str | None) -> None:
    """A login under this name did not work; without a name (a passkey that nobody has) it is the address's alone."""
    _move(name_of(user, typed), client_ip, -1)


def succeeded(user: User, client_ip: str | None) -> None:
    """``user`` has logged in."""
    _move(name_of(user, ""), client_ip, 1)


def name_of(user: User | None, typed: str) -> str:
    """Under which name it is kept. A deactivated user is nobody here as well, whatever was typed for them."""
    return folded(user.username if user is not None and user.is_active else typed)[:150]


def score(*, name: str = "", client_ip: str = "") -> int:
    """The sum of what is known of ``name`` anywhere, and of ``client_ip`` under any name; empty ones do not count."""
    place = _place(client_ip)
    about = (Q(identifier=name) if name else Q(pk=None)) | (Q(ip=place) if place else Q(pk=None))
    rows = Reputation.objects.filter(about, expires__gt=timezone.now())
    return int(rows.aggregate(sum=Sum("score"))["sum"] or 0)


def _move(name: str, client_ip: str | None, by: int) -> None:
    place = _place(client_ip)
    if not place:
        return
    now = timezone.now()
    row = Reputation.objects.filter(identifier=name, ip=place)
    moved = {
        "score": Least(Greatest(F("score") + by, Value(LOWEST)), Value(HIGHEST)),
        "updated": now,
        "expires": now + LASTS,
    }
    if row.filter(expires__gt=now).update(**moved):
        return
    row.filter(expires__lte=now).delete()
    try:
        with transaction.atomic():
            Reputation.objects.create(identifier=name, ip=place, score=by, updated=now, expires=now + LASTS)
    except IntegrityError:  # somebody was faster, at the same name and address
        row.update(**moved)
    if next(_begun) % _LOOK_EVERY == 0:
        forget_surplus()


def forget_surplus() -> None:
    """Delete what is over, and what is too much."""
    Reputation.objects.filter(expires__lte=timezone.now()).delete()
    surplus = list(Reputation.objects.order_by("-updated").values_list("pk", flat=True)[MOST : MOST + 2 * _LOOK_EVERY])
    Reputation.objects.filter(pk__in=surplus).delete()


def _place(address: str | None) -> str:
    """An IPv4 address, or the /64 in which an IPv6 host can choose freely; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
