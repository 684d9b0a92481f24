"""A real OpenLDAP server (slapd) with a small company in it, on ports and in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3

from net.certificates import self_signed
from peers.processes import free_port, running

BASE = "dc=example,dc=test"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "reader-password"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root-password"
PASSWORD = "directory password"
"""Everybody's."""

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
moduleload /usr/lib/ldap/back_mdb.so
moduleload /usr/lib/ldap/memberof.so
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
pidfile {folder}/slapd.pid
sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited
database mdb
maxsize 16777216
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {folder}/data
dbnosync
index objectClass,uid,cn,mail eq
overlay memberof
access to attrs=userPassword by anonymous auth by self write by * none
access to * by dn.exact="{reader}" read by * none
"""


class DirectoryServer:
    """What a test knows of it, and how it changes what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.uri, self.tls_uri = f"ldap://localhost:{self.port}", f"ldaps://localhost:{self.tls_port}"
        self.pid = 0
        certificate = self_signed("localhost")
        self.ca_pem = certificate.chain_pem
        (folder / "server.pem").write_text(certificate.chain_pem)
        (folder / "server.key").write_text(certificate.key_pem)
        (folder / "data").mkdir(mode=0o700)
        (folder / "slapd.conf").write_text(
            _CONFIGURATION.format(
                folder=folder, base=BASE, root=ROOT, root_password=ROOT_PASSWORD, reader=READER, pid=folder / "pid"
            )
        )
        (folder / "company.ldif").write_text(_company())
        subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-f", str(folder / "slapd.conf"), "-l", str(folder / "company.ldif")],
            check=True,
            capture_output=True,
        )

    @contextlib.contextmanager
    def serving(self) -> Iterator[DirectoryServer]:
        argv = ["/usr/sbin/slapd", "-f", self.folder / "slapd.conf", "-h", f"{self.uri} {self.tls_uri}", "-d", "0"]
        with running(argv, log=self.folder / "log", port=self.port) as process:
            self.pid = process.pid
            yield self
            self.let_go()

    def hold(self) -> None:
        """It accepts connections, as the kernel does it, and never answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def let_go(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def add(self, dn: str, classes: list[str], **attributes: Any) -> None:
        with self.as_root() as root:
            assert root.add(dn, classes, attributes), root.result

    def change(self, dn: str, **attributes: list[str]) -> None:
        with self.as_root() as root:
            changes = {name: [(ldap3.MODIFY_REPLACE, values)] for name, values in attributes.items()}
            assert root.modify(dn, changes), root.result

    def remove(self, dn: str) -> None:
        with self.as_root() as root:
            assert root.delete(dn), root.result

    def rename(self, dn: str, name: str) -> None:
        with self.as_root() as root:
            assert root.modify_dn(dn, name), root.result

    @contextlib.contextmanager
    def as_root(self) -> Iterator[Any]:
        server = ldap3.Server("localhost", self.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, ROOT_PASSWORD, auto_bind=ldap3.AUTO_BIND_NO_TLS)
        try:
            yield connection
        finally:
            connection.unbind()


@contextlib.contextmanager
def directory_server(folder: Path) -> Iterator[DirectoryServer]:
    """One that runs."""
    with DirectoryServer(folder).serving() as server:
        yield server


def person(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"


def group(name: str) -> str:
    return f"cn={name},{GROUPS}"


def _company() -> str:
    entries = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example",
        f"dn: {PEOPLE}\nobjectClass: organizationalUnit",
        f"dn: {GROUPS}\nobjectClass: organizationalUnit",
        f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        f"userPassword: {READER_PASSWORD}",
        _person("dora", "Dora Example"),
        _person("emil", "Emil Example"),
        _person("pa*ul", "Paul (Admin)"),
        *(_person(f"worker{number:02}", f"Worker {number}") for number in range(30)),
        _group("staff", person("dora"), person("emil")),
        _group("managers", person("emil")),
        _group("everybody", group("staff"), person("worker00")),
        f"dn: {group('printers')}\nobjectClass: posixGroup\ngidNumber: 500\nmemberUid: dora",
    ]
    return "\n\n".join(entries) + "\n"


def _person(uid: str, name: str) -> str:
    return (
        f"dn: {person(uid)}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: {name.split()[-1]}\n"
        f"mail: {uid.replace('*', '')}@example.test\nuserPassword: {PASSWORD}"
    )


def _group(name: str, *members: str) -> str:
    return f"dn: {group(name)}\nobjectClass: groupOfNames\n" + "\n".join(f"member: {member}" for member in members)
