"""LDAP sources over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.sources.ldap.defaults import ensure
from doorward.identity.sources.ldap.models import LDAPSource
from doorward.identity.sources.ldap.syncing import sync
from identity.sources.ldap.conftest import source_for
from peers.directory_server import directory_server

pytestmark = pytest.mark.django_db
URL = "/api/v3/sources/ldap/"
FIELDS = {
    "name": "Company",
    "slug": "company",
    "server_uri": "ldap://localhost:1",
    "base_dn": "dc=example,dc=test",
    "bind_cn": "cn=reader,dc=example,dc=test",
    "bind_password": "the reader's secret",
}


@pytest.fixture
def admin(akadmin: User) -> Client:
    from doorward.identity.directory.actions import create_token
    from doorward.identity.events.actor import Actor

    _token, key = create_token(Actor.system(), user=akadmin, identifier="admin", intent="api")
    return Client(headers={"Authorization": f"Bearer {key}"})


def _send(client: Client, method: str, url: str, **fields: Any) -> Any:
    return getattr(client, method)(url, fields, content_type="application/json")


def test_a_source_lives_and_dies(admin: Client) -> None:
    """And its password is never shown."""  # S-605
    made = _send(admin, "post", URL, **FIELDS)
    assert made.status_code == 201, made.content
    assert made.json()["object_uniqueness_field"] == "objectSid"
    changed = _send(admin, "patch", f"{URL}company/", name="Renamed", user_object_filter="(objectClass=user)")
    assert changed.json()["name"] == "Renamed"
    for answer in (made, changed, admin.get(URL), admin.get(f"{URL}company/")):
        assert b"secret" not in answer.content
        assert b"bind_password" not in answer.content
    assert LDAPSource.objects.get().bind_password == "the reader's secret"
    assert admin.get(f"{URL}company/sync/status/").json()["is_running"] is False
    assert admin.get(f"{URL}company/debug/").status_code == 400
    assert admin.get(f"{URL}company/used_by/").json() == []
    assert admin.delete(f"{URL}company/").status_code == 204


def test_the_password_goes_to_no_other_server(admin: Client) -> None:
    """Whoever changes the server has to know the password."""  # S-605
    _send(admin, "post", URL, **FIELDS)

    refused = _send(admin, "patch", f"{URL}company/", server_uri="ldap://evil.example.test")
    allowed = _send(admin, "patch", f"{URL}company/", server_uri="ldap://new.example.test", bind_password="again")

    assert (refused.status_code, allowed.status_code) == (400, 200)
    assert "bind_password" in refused.json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("server_uri", "http://example.test"),
        ("user_object_filter", "objectClass=person"),
        ("user_object_filter", "(a=b)(c=d)"),
        ("object_uniqueness_field", "a)(b"),
        ("sync_users_password", True),
        ("slug", "not a slug"),
    ],
)
def test_what_cannot_work_is_refused(admin: Client, field: str, value: object) -> None:
    """With the field that is wrong."""
    answer = _send(admin, "post", URL, **{**FIELDS, field: value})

    assert answer.status_code == 400
    assert field in answer.json()


def test_the_copy_can_be_asked_for_and_looked_at(admin: Client, tmp_path: Path) -> None:
    """How it went, and what the directory holds."""
    with directory_server(tmp_path) as server:
        source = source_for(server)
        sync(source)

        status = admin.get(f"{URL}company/sync/status/").json()
        debug = admin.get(f"{URL}company/debug/").json()

    assert (status["last_sync_status"], status["users"]) == ("done", 3)
    assert status["last_successful_sync"]
    assert {row["uid"] for row in debug["user"]} >= {"dora", "emil"}
    assert "userPassword" not in debug["user"][0]
    assert admin.post(f"{URL}company/sync/").status_code == 204
    assert admin.get(f"{URL}company/sync/status/").json()["last_sync_status"] == "queued"


def test_mappings_are_shipped_and_made(admin: Client) -> None:
    """The shipped ones cannot be changed."""
    ensure()
    ensure()
    url = "/api/v3/propertymappings/source/ldap/"

    listed = admin.get(url).json()["results"]
    made = _send(admin, "post", url, name="mine", expression='return {"name": ldap.get("cn")}')

    assert len(listed) == 8
    assert made.status_code == 201, made.content
    assert _send(admin, "patch", f"{url}{listed[0]['pk']}/", name="x").status_code == 400
    assert _send(admin, "patch", f"{url}{made.json()['pk']}/", name="y").status_code == 200
    assert admin.delete(f"{url}{made.json()['pk']}/").status_code == 204


def test_others_may_not(client: Client, bob: User) -> None:
    """Where people come from is for superusers."""
    client.force_login(bob)

    assert client.get(URL).status_code == 403
    assert _send(client, "post", URL, **FIELDS).status_code == 403
