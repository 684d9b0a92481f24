"""What a policy of places says about an address: countries and networks, and how far it is from earlier logins.

Places come from the operator's databases (``logins.places``). Of what they do not know nothing can be said, and then
the policy does not pass. Distances are between the coordinates of the database, along the surface of the earth.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.logins import places
from doorward.identity.logins.places import Place
from doorward.identity.policies.models import GeoIPPolicy, PastLogin

RADIUS = 6371.0
"""Kilometres, of the earth."""
FASTEST = 1000.0
"""Kilometres an hour that nobody travels faster than (an airliner, from door to door)."""
KEPT = 20
"""Earlier logins that are remembered for each user."""


def logged_in(user: User, client_ip: str | None) -> None:
    """Remember from where; only while there is a database that says where that is."""
    if not client_ip or not places.is_known():
        return
    PastLogin.objects.create(user=user, ip=client_ip, at=timezone.now())
    surplus = list(user.past_logins.values_list("pk", flat=True)[KEPT : KEPT + 50])
    PastLogin.objects.filter(pk__in=surplus).delete()


def refusals(policy: GeoIPPolicy, user: User | None, client_ip: str) -> tuple[str, ...]:
    """Why the policy does not pass, for the user; empty where it does."""
    here = places.look(client_ip)
    if here == places.NOWHERE:
        return (_("It is not known where your address is."),)
    static = []
    if policy.countries:
        static.append(here.country in policy.countries)
    if policy.asns:
        static.append(here.asn in policy.asns)
    if static and not any(static):
        return (_("That is not open to where you are."),)
    if policy.check_history_distance or policy.check_impossible_travel:
        return _compared(policy, user, here)
    return ()


def _compared(policy: GeoIPPolicy, user: User | None, here: Place) -> tuple[str, ...]:
    if here.latitude is None or here.longitude is None:
        return (_("It is not known where your address is."),)
    if user is None or user.pk is None:
        return ()
    now = timezone.now()
    for login in user.past_logins.all()[: min(policy.history_login_count, KEPT)]:
        there = places.look(login.ip)
        if there.latitude is None or there.longitude is None:
            continue
        far = distance(here, there)
        if policy.check_history_distance and far - policy.distance_tolerance_km > policy.history_max_distance_km:
            return (_("You are far from where you have logged in before."),)
        if policy.check_impossible_travel and far - policy.impossible_tolerance_km > reachable(login.at, now):
            return (_("You cannot have come here so quickly from where you have logged in last."),)
    return ()


def distance(here: Place, there: Place) -> float:
    """Kilometres between two places with coordinates, along a great circle."""
    assert here.latitude is not None and here.longitude is not None
    assert there.latitude is not None and there.longitude is not None
    first, second = math.radians(here.latitude), math.radians(there.latitude)
    across = math.radians(there.longitude - here.longitude)
    half = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(across / 2) ** 2
    return 2 * RADIUS * math.asin(min(1.0, math.sqrt(half)))


def reachable(since: datetime, now: datetime) -> float:
    """Kilometres that somebody can have travelled between the two moments."""
    return FASTEST * max((now - since) / timedelta(hours=1), 0.0)
