"""Policies by when and from where somebody asks: time, network, place, the way from earlier logins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from pytest_django import Settings

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.logins import places
from doorward.identity.policies import geography, windows
from doorward.identity.policies.actions import bind, create_policy, update_policy
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import GeoIPPolicy, NetworkPolicy, PastLogin, PolicyTarget, TimeWindowPolicy
from doorward.identity.policies.queries import verdict
from identity.logins.mmdb_file import write

SYSTEM = Actor.system()
BERLIN, PARIS, NEW_YORK, NOWHERE = "192.0.2.1", "198.51.100.1", "203.0.113.1", "10.0.0.1"


def place(country: str, latitude: float, longitude: float) -> dict[str, Any]:
    return {"country": {"iso_code": country}, "location": {"latitude": latitude, "longitude": longitude}}


@pytest.fixture
def databases(tmp_path: Path, settings: Settings) -> Iterator[None]:
    cities = {
        "192.0.2.0/24": place("DE", 52.5, 13.4),
        "198.51.100.0/24": place("FR", 48.9, 2.4),
        "203.0.113.0/24": place("US", 40.7, -74.0),
    }
    operators = {"192.0.2.0/24": {"autonomous_system_number": 64500}}
    settings.GEOIP = (
        str(write(tmp_path / "city.mmdb", cities, "Test-City")),
        str(write(tmp_path / "asn.mmdb", operators, "Test-ASN")),
    )
    yield
    places._files.clear()


def window(days: list[int], start: str, end: str, zone: str = "UTC") -> TimeWindowPolicy:
    begins, ends = time.fromisoformat(start), time.fromisoformat(end)
    return TimeWindowPolicy(name="hours", days=days, start=begins, end=ends, timezone=zone)


@pytest.mark.parametrize(
    ("policy", "now", "open_"),
    [
        (window([3], "08:00", "18:00"), "2026-11-26T08:00", True),
        (window([3], "08:00", "18:00"), "2026-11-26T18:00", False),
        (window([4], "08:00", "18:00"), "2026-11-26T12:00", False),
        (window([3], "22:00", "06:00"), "2026-11-27T05:59", True),
        (window([3], "22:00", "06:00"), "2026-11-26T05:59", False),
        (window([3], "00:00", "00:00"), "2026-11-26T23:59", True),
        (window([3], "08:00", "18:00", "Asia/Tokyo"), "2026-11-25T23:30", True),
        (window([3], "08:00", "18:00", "Asia/Tokyo"), "2026-11-26T09:30", False),
    ],
)
def test_a_window_of_time(policy: TimeWindowPolicy, now: str, open_: bool) -> None:
    """Days and times of its zone; over midnight it belongs to the day on which it begins."""
    assert windows.is_open(policy, datetime.fromisoformat(now).replace(tzinfo=UTC)) is open_


def test_when_it_opens_or_shuts_next() -> None:
    """The moment at which what was decided must be decided again."""
    office = window([0, 1, 2, 3, 4], "08:00", "18:00")

    assert windows.next_edge(office, datetime(2026, 11, 26, 12, tzinfo=UTC)) == datetime(2026, 11, 26, 18, tzinfo=UTC)
    assert windows.next_edge(office, datetime(2026, 11, 27, 18, tzinfo=UTC)) == datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.mark.django_db
def test_a_zone_that_is_gone_opens_nothing(bob: User) -> None:
    """What cannot be judged denies."""
    door = PolicyTarget.objects.create()
    policy = create_policy(SYSTEM, TimeWindowPolicy, name="always", days=list(range(7)), start=time(0), end=time(0))
    bind(SYSTEM, door, policy=policy)
    assert verdict(door, bob).passing

    TimeWindowPolicy.objects.update(timezone="Gone/Zone")

    assert not verdict(door, bob).passing


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::9", True),
        ("192.0.3.7", False),
        ("2001:db9::1", False),
        ("", False),
        ("192.0.2.7, 10.0.0.1", False),
    ],
)
@pytest.mark.django_db
def test_networks(bob: User, address: str, passes: bool) -> None:
    """Of the client's address; what is no address, and none at all, does not pass."""
    door = PolicyTarget.objects.create()
    bind(
        SYSTEM, door, policy=create_policy(SYSTEM, NetworkPolicy, name="n", networks=["192.0.2.0/24", "2001:db8::/32"])
    )

    assert verdict(door, bob, Asked(client_ip=address)).passing is passes


@pytest.mark.parametrize(
    ("fields", "address", "passes"),
    [
        ({"countries": ["de"]}, BERLIN, True),
        ({"countries": ["DE"]}, PARIS, False),
        ({"countries": ["FR"], "asns": [64500]}, BERLIN, True),
        ({"asns": [64500]}, PARIS, False),
        ({"countries": ["DE", "FR", "US"]}, NOWHERE, False),
        ({"countries": ["DE"]}, "", False),
    ],
)
@pytest.mark.django_db
def test_places(databases: None, bob: User, fields: dict[str, Any], address: str, passes: bool) -> None:
    """One of the countries or networks; what no database knows does not pass."""
    door = PolicyTarget.objects.create()
    bind(SYSTEM, door, policy=create_policy(SYSTEM, GeoIPPolicy, name="place", **fields))

    assert verdict(door, bob, Asked(client_ip=address)).passing is passes


@pytest.mark.django_db
def test_far_from_earlier_logins(databases: None, bob: User) -> None:
    """Berlin is 880 km from Paris; somebody without earlier logins is compared with nothing."""
    policy = create_policy(SYSTEM, GeoIPPolicy, name="near", check_history_distance=True, history_max_distance_km=800)
    assert geography.refusals(policy, bob, PARIS) == ()

    geography.logged_in(bob, BERLIN)

    assert geography.refusals(policy, bob, BERLIN) == ()
    assert geography.refusals(policy, bob, PARIS) == ("You are far from where you have logged in before.",)
    assert geography.refusals(policy, bob, NOWHERE)
    update_policy(SYSTEM, policy, history_max_distance_km=850)  # and 50 for the database's sake
    assert geography.refusals(policy, bob, PARIS) == ()


@pytest.mark.django_db
def test_impossible_travel(databases: None, bob: User) -> None:
    """Nobody is in Berlin, and an hour later in New York."""
    policy = create_policy(SYSTEM, GeoIPPolicy, name="travel", check_impossible_travel=True)
    PastLogin.objects.create(user=bob, ip=BERLIN, at=timezone.now() - timedelta(hours=1))

    assert geography.refusals(policy, bob, PARIS) == ()
    assert "so quickly" in geography.refusals(policy, bob, NEW_YORK)[0]
    PastLogin.objects.update(at=timezone.now() - timedelta(hours=12))
    assert geography.refusals(policy, bob, NEW_YORK) == ()
    assert geography.refusals(policy, None, NEW_YORK) == ()


@pytest.mark.django_db
def test_earlier_logins_are_few(databases: None, bob: User) -> None:
    """The latest are kept, and none without a database of places."""
    for _ in range(geography.KEPT + 3):
        geography.logged_in(bob, BERLIN)
    assert bob.past_logins.count() == geography.KEPT

    geography.logged_in(bob, None)
    assert bob.past_logins.count() == geography.KEPT


@pytest.mark.django_db
def test_a_stranger_has_no_earlier_logins(databases: None) -> None:
    """A place can be asked about before anybody has said who they are."""
    door = PolicyTarget.objects.create()
    bind(SYSTEM, door, policy=create_policy(SYSTEM, GeoIPPolicy, name="near", check_history_distance=True))

    assert verdict(door, AnonymousUser(), Asked(client_ip=BERLIN)).passing
