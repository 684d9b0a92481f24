"""Logins that are tied to where they began: what counts as elsewhere, and what happens then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.logins import places
from doorward.identity.logins.bindings import Binding, breach
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.notices import login_ended
from doorward.identity.stages.models import UserLoginStage
from identity.flow_tab import Tab
from identity.logins.mmdb_file import write

CITIES: dict[str, dict[str, Any]] = {
    "192.0.2.0/25": {
        "continent": {"code": "EU"},
        "country": {"iso_code": "DE"},
        "city": {"geoname_id": 1, "names": {"en": "Bonn"}},
    },
    "192.0.2.128/25": {"continent": {"code": "EU"}, "country": {"iso_code": "DE"}, "city": {"geoname_id": 2}},
    "198.51.100.0/24": {"continent": {"code": "EU"}, "country": {"iso_code": "FR"}},
    "203.0.113.0/24": {"continent": {"code": "NA"}, "country": {"iso_code": "US"}},
}
OPERATORS: dict[str, dict[str, Any]] = {
    "192.0.2.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Blue"},
    "198.51.100.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Blue"},
    "203.0.113.0/24": {"autonomous_system_number": 64501, "autonomous_system_organization": "Red"},
    "2001:db8::/32": {"autonomous_system_number": 64500, "autonomous_system_organization": "Blue"},
}


@pytest.fixture
def databases(tmp_path: Path, settings: Settings) -> Iterator[None]:
    settings.GEOIP = (
        str(write(tmp_path / "city.mmdb", CITIES, "Test-City")),
        str(write(tmp_path / "asn.mmdb", OPERATORS, "Test-ASN")),
    )
    yield
    places._files.clear()


@pytest.mark.parametrize(
    ("binding", "began", "now", "broken"),
    [
        (Binding(), "192.0.2.1", "203.0.113.1", ""),
        (Binding("bind_asn"), "192.0.2.1", "192.0.255.1", ""),
        (Binding("bind_asn"), "192.0.2.1", "192.1.2.1", "network.prefix"),
        (Binding("bind_asn_network"), "192.0.2.1", "192.0.2.254", ""),
        (Binding("bind_asn_network"), "192.0.2.1", "192.0.3.1", "network.prefix"),
        (Binding("bind_asn_network"), "2001:db8:1:2::1", "2001:db8:1:ffff::9", ""),
        (Binding("bind_asn_network"), "2001:db8:1::1", "2001:db8:2::1", "network.prefix"),
        (Binding("bind_asn_network"), "192.0.2.1", "2001:db8::1", "network.prefix"),
        (Binding("bind_asn_network"), "192.0.2.1", "::ffff:192.0.2.7", ""),
        (Binding("bind_asn_network_ip"), "192.0.2.1", "192.0.2.1", ""),
        (Binding("bind_asn_network_ip"), "192.0.2.1", "192.0.2.2", "network.ip"),
        (Binding("bind_asn"), "192.0.2.1", None, "network.missing"),
        (Binding("bind_asn"), None, "192.0.2.1", "network.missing"),
        (Binding(geoip="bind_continent"), "192.0.2.1", "192.0.2.1", ""),
        (Binding(geoip="bind_continent"), "192.0.2.1", "192.0.2.2", "geoip.missing"),
    ],
)
def test_without_databases(binding: Binding, began: str | None, now: str | None, broken: str) -> None:
    """Networks are judged by the first bits of the address; what is not known is never the same."""
    assert breach(binding, began, now) == broken


@pytest.mark.parametrize(
    ("binding", "began", "now", "broken"),
    [
        (Binding("bind_asn"), "192.0.2.1", "198.51.100.1", ""),
        (Binding("bind_asn"), "192.0.2.1", "2001:db8::1", ""),
        (Binding("bind_asn"), "192.0.2.1", "203.0.113.1", "network.asn"),
        (Binding("bind_asn"), "192.0.2.1", "10.0.0.1", "network.prefix"),
        (Binding("bind_asn_network"), "192.0.2.1", "192.0.2.200", ""),
        (Binding("bind_asn_network"), "192.0.2.1", "198.51.100.1", "network.asn_network"),
        (Binding(geoip="bind_continent"), "192.0.2.1", "198.51.100.1", ""),
        (Binding(geoip="bind_continent"), "192.0.2.1", "203.0.113.1", "geoip.continent"),
        (Binding(geoip="bind_continent_country"), "192.0.2.1", "192.0.2.200", ""),
        (Binding(geoip="bind_continent_country"), "192.0.2.1", "198.51.100.1", "geoip.country"),
        (Binding(geoip="bind_continent_country_city"), "192.0.2.1", "192.0.2.200", "geoip.city"),
        (Binding(geoip="bind_continent_country_city"), "192.0.2.1", "192.0.2.9", ""),
        (Binding(geoip="bind_continent"), "192.0.2.1", "10.0.0.1", "geoip.missing"),
        (Binding("bind_asn", "bind_continent"), "192.0.2.1", "203.0.113.1", "network.asn"),
    ],
)
def test_with_databases(databases: None, binding: Binding, began: str, now: str, broken: str) -> None:
    """By operator, announced network, and place."""
    assert breach(binding, began, now) == broken


def test_a_database_is_replaced_and_may_be_broken(tmp_path: Path, settings: Settings) -> None:
    """A new file counts without a restart; one that cannot be read leaves the former in force."""
    path = write(tmp_path / "city.mmdb", CITIES)
    settings.GEOIP = (str(path),)

    def country() -> str:
        places._files[str(path)].looked = float("-inf")
        return places.look("192.0.2.1").country

    assert places.look("192.0.2.1").country == "DE"
    write(tmp_path / "new", {"192.0.2.0/24": {"country": {"iso_code": "AT"}}}).rename(path)
    assert country() == "AT"
    (tmp_path / "bad").write_bytes(b"no database")
    (tmp_path / "bad").rename(path)
    assert country() == "AT"
    path.unlink()
    assert country() == "AT"
    places._files.clear()
    assert places.look("192.0.2.1") == places.NOWHERE


# --- at the door -----------------------------------------------------------------------------------------------------


def bound(client: Client, password: str, **settings: str) -> Client:
    UserLoginStage.objects.filter(name="default-authentication-login").update(**settings)
    client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.1"
    assert Tab(client).log_in("bob", password) == "/"
    return client


@pytest.mark.django_db
def test_a_request_from_elsewhere_ends_the_login(client: Client, login_flows: None, bob: User, password: str) -> None:
    """For good, also back home; an event says what was different, and the page says why one logs in again."""
    ended: list[Any] = []
    login_ended.connect(lambda sender, **facts: ended.append(facts["sid"]), weak=False, dispatch_uid="test")
    try:
        bound(client, password, network_binding="bind_asn_network")
        assert client.get("/if/user/", headers={"X-Forwarded-For": "192.0.2.99"}).status_code == 200
        sid = LoginSession.objects.get(user=bob).sid
        thief = Client()
        thief.cookies.update(client.cookies)

        answer = thief.get("/if/user/", headers={"X-Forwarded-For": "203.0.113.5"})

        assert answer.status_code == 302
        assert not LoginSession.objects.filter(user=bob).exists()
        assert ended == [sid], "its proxy sessions and tokens end with it"
    finally:
        login_ended.disconnect(dispatch_uid="test")
    event = Event.objects.get(action="logout")
    assert event.context["reason"] == "session_binding_broken: network.prefix"
    assert (event.context["began_at"], event.client_ip) == ("192.0.2.1", "203.0.113.5")
    assert event.user["username"] == "bob"
    assert client.get("/if/user/").status_code == 302
    tab = Tab(thief)
    assert "another network" in tab.text


@pytest.mark.django_db
def test_the_api_is_no_way_round(client: Client, login_flows: None, bob: User, password: str) -> None:
    """The same session at another door."""
    bound(client, password, network_binding="bind_asn_network_ip")
    assert client.get("/api/v3/core/users/me/").status_code == 200
    assert client.get("/api/v3/core/users/me/", headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 403
    assert client.get("/api/v3/core/users/me/").status_code == 403


@pytest.mark.django_db
def test_without_a_binding_people_move(client: Client, login_flows: None, bob: User, password: str) -> None:
    """The default."""
    bound(client, password)
    assert client.get("/if/user/", headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 200
    assert LoginSession.objects.get(user=bob).bound_ip is None


@pytest.mark.django_db
def test_logging_in_again_elsewhere_begins_there(client: Client, login_flows: None, bob: User, password: str) -> None:
    """The new login is tied to the new place."""
    bound(client, password, network_binding="bind_asn_network")
    client.defaults["HTTP_X_FORWARDED_FOR"] = "203.0.113.5"
    assert Tab(client).log_in("bob", password) == "/"
    assert LoginSession.objects.get(user=bob).bound_ip == "203.0.113.5"
    assert client.get("/if/user/").status_code == 200


@pytest.mark.django_db
def test_a_login_that_is_tied_to_a_place(
    client: Client, login_flows: None, databases: None, bob: User, password: str
) -> None:
    """A country, by the operator's database; sessions show it, too."""
    bound(client, password, geoip_binding="bind_continent_country")
    (row,) = client.get("/api/v3/core/authenticated_sessions/").json()["results"]
    assert row["geo_ip"]["country"] == "DE"
    assert row["asn"] == {"asn": 64500, "as_org": "Blue", "network": "192.0.2.0/24"}
    assert client.get("/if/user/", headers={"X-Forwarded-For": "192.0.2.200"}).status_code == 200
    assert client.get("/if/user/", headers={"X-Forwarded-For": "198.51.100.1"}).status_code == 302
    assert "geoip.country" in Event.objects.get(action="logout").context["reason"]
