"""The administrators' pages about LDAP directories."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from doorward.identity.crypto.actions import import_pair
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.ldap.syncing import sync
from peers.directory_server import BASE, READER, READER_PASSWORD, directory_server

pytestmark = pytest.mark.django_db
URL = "/if/admin/directories/"


def test_a_directory_is_set_up_tried_and_copied(client: Client, akadmin: User, tmp_path: Path) -> None:
    """The form makes it, the test says who is there, a button copies it, and its password is never shown."""
    client.force_login(akadmin)
    with directory_server(tmp_path) as server:
        authority = import_pair(Actor.system(), name="authority", certificate_pem=server.ca_pem)
        form = {
            "name": "Company",
            "slug": "company",
            "enabled": "on",
            "server_uri": server.uri,
            "start_tls": "on",
            "peer_certificate": str(authority.pk),
            "bind_cn": READER,
            "bind_password": READER_PASSWORD,
            "base_dn": BASE,
            "user_object_filter": "(objectClass=inetOrgPerson)",
            "group_object_filter": "(objectClass=groupOfNames)",
            "object_uniqueness_field": "entryUUID",
            "group_membership_field": "member",
            "user_membership_attribute": "distinguishedName",
            "sync_users": "on",
            "sync_groups": "on",
            "user_matching_mode": "identifier",
        }
        made = client.post("/if/admin/new/directory/", form)
        assert made.status_code == 303, made.content.decode()
        tried = client.get(f"{URL}company/?try").content.decode()
        assert client.post(f"{URL}company/sync/").status_code == 303
        assert Sync.objects.get().wanted
        sync(LDAPSource.objects.get())
    listed = client.get("/if/admin/sources/").content.decode()

    assert "33 users" in tried
    assert "3 groups" in tried
    assert "dora: Dora Example" in tried
    assert READER_PASSWORD not in tried
    assert "33 users, 3 groups" in listed
    away = client.get(f"{URL}company/?try").content.decode()
    assert "does not answer as it should" in away

    changed = client.post(f"{URL}company/", {**form, "bind_password": "", "name": "Renamed"})
    moved = client.post(f"{URL}company/", {**form, "bind_password": "", "server_uri": "ldap://127.0.0.1:1"})

    assert changed.status_code == 303
    assert "Enter the password again" in moved.content.decode()
    assert LDAPSource.objects.get().name == "Renamed"
    assert LDAPSource.objects.get().bind_password == READER_PASSWORD
    assert client.post(f"{URL}company/delete/").status_code == 303
    assert not LDAPSource.objects.exists()
