"""The directory that these tests ask, and a source for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from peers.directory_server import BASE, READER, READER_PASSWORD, DirectoryServer, directory_server

if TYPE_CHECKING:
    from doorward.identity.sources.ldap.models import LDAPSource

FEW = "(&(objectClass=inetOrgPerson)(|(uid=dora)(uid=emil)(uid=akadmin)(uid=theodora)(uid=worker00)))"
"""Those people whom most tests are about."""
EVERYBODY = "(objectClass=inetOrgPerson)"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectoryServer]:
    with directory_server(tmp_path_factory.mktemp("slapd")) as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[DirectoryServer]:
    """One of its own, for a test that changes what is in it."""
    with directory_server(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def nobody_away() -> None:
    """No test inherits that another's directory was away."""
    from doorward.identity.sources.ldap import turns

    turns.forget()


def source_for(server: DirectoryServer, **fields: object) -> LDAPSource:
    """As an administrator sets it up for OpenLDAP."""
    from doorward.identity.crypto.actions import import_pair
    from doorward.identity.crypto.models import CertificateKeyPair
    from doorward.identity.events.actor import Actor
    from doorward.identity.sources.ldap.models import LDAPSource

    authority = CertificateKeyPair.objects.filter(name=server.uri).first() or import_pair(
        Actor.system(), name=server.uri, certificate_pem=server.ca_pem
    )
    usual: dict[str, object] = {
        "name": "Company",
        "slug": "company",
        "server_uri": server.uri,
        "start_tls": True,
        "peer_certificate": authority,
        "bind_cn": READER,
        "bind_password": READER_PASSWORD,
        "base_dn": BASE,
        "additional_user_dn": "ou=people",
        "additional_group_dn": "ou=groups",
        "user_object_filter": FEW,
        "group_object_filter": "(objectClass=groupOfNames)",
        "object_uniqueness_field": "entryUUID",
    }
    return LDAPSource.objects.create(**{**usual, **fields})
