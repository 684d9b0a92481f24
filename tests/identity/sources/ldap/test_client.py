"""The connection to a directory, to a real one."""

from __future__ import annotations

import socket
import threading

import pytest

from doorward.identity.sources.ldap.client import connected
from doorward.identity.sources.ldap.entries import escaped
from doorward.identity.sources.ldap.places import (
    Refused,
    Rejected,
    Unreachable,
    Where,
    WrongPassword,
    places_of,
)
from doorward.messages.routing import ClientTls
from net.certificates import self_signed
from peers.directory_server import BASE, PASSWORD, PEOPLE, READER, READER_PASSWORD, DirectoryServer, person

_ALL = ["*"]


def _where(server: DirectoryServer, **more: object) -> Where:
    uri = str(more.pop("uri", server.uri))
    return Where(places_of(uri), tls=ClientTls(ca_pem=str(more.pop("ca", server.ca_pem))), **more)  # type: ignore[arg-type]


def test_everybody_is_found_page_by_page(company: DirectoryServer) -> None:
    """A search gives all entries, however small its pages."""
    with connected(_where(company, start_tls=True)) as directory:
        directory.bind(READER, READER_PASSWORD)

        pages = list(directory.search(PEOPLE, "(objectClass=inetOrgPerson)", ["uid"], page=10))

    assert [len(page) for page in pages] == [10, 10, 10, 3]
    assert len({entry.first("uid") for page in pages for entry in page}) == 33


def test_tls_from_the_first_byte(company: DirectoryServer) -> None:
    """``ldaps://`` works like StartTLS."""
    with connected(_where(company, uri=company.tls_uri)) as directory:
        directory.bind(person("dora"), PASSWORD)


@pytest.mark.parametrize("start_tls", [True, False])
def test_a_certificate_of_nobody_we_know_is_not_believed(company: DirectoryServer, start_tls: bool) -> None:
    """Without a matching authority there is no connection, and no password on it."""
    uri = company.uri if start_tls else company.tls_uri
    stranger = self_signed("localhost").chain_pem

    with (
        pytest.raises(Unreachable, match="certificate"),
        connected(_where(company, uri=uri, ca=stranger, start_tls=start_tls)),
    ):
        pass


def test_a_certificate_for_another_name_is_not_believed(company: DirectoryServer) -> None:
    """The name that was written must stand in the certificate."""
    uri = company.tls_uri.replace("localhost", "127.0.0.1")

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"), connected(_where(company, uri=uri)):
        pass


def test_an_empty_password_is_never_sent(company: DirectoryServer) -> None:
    """Servers take it for nobody's and say yes (RFC 4513 section 5.1.2)."""
    with connected(_where(company)) as directory:
        for dn, password in ((person("dora"), ""), ("", PASSWORD), (person("dora"), "wrong")):
            with pytest.raises(WrongPassword):
                directory.bind(dn, password)


def test_a_value_cannot_become_a_filter(company: DirectoryServer) -> None:
    """Wildcards and brackets that somebody types are only letters."""
    with connected(_where(company)) as directory:
        directory.bind(READER, READER_PASSWORD)

        for typed, found in (("*", 0), ("dora)(uid=*", 0), ("pa*ul", 1), ("\0", 0), ("dor\\61", 0), ("müller", 0)):
            entries = directory.find(PEOPLE, f"(uid={escaped(typed)})", ["uid"], most=2)
            assert len(entries) == found, typed


def test_what_the_server_cuts_short_is_no_answer(company: DirectoryServer) -> None:
    """A search below a place that is not there is an error, never an empty directory."""
    with connected(_where(company)) as directory:
        directory.bind(READER, READER_PASSWORD)

        with pytest.raises(Rejected, match="noSuchObject"):
            list(directory.search(f"ou=gone,{BASE}", "(objectClass=*)", _ALL))
        with pytest.raises(Unreachable, match="filter"):
            list(directory.search(PEOPLE, "(objectClass=", _ALL))


def test_a_server_that_hangs_is_left_in_time(company: DirectoryServer) -> None:
    """Somebody who accepts and says nothing costs no more than the time that was given."""
    company.hold()
    try:
        with pytest.raises(Unreachable), connected(_where(company), seconds=0.3) as directory:
            directory.bind(person("dora"), PASSWORD)
    finally:
        company.let_go()


def test_a_server_that_trickles_is_left_in_time() -> None:
    """Each byte in time does not make the whole answer in time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def trickle() -> None:
            peer, _address = listener.accept()
            with peer:
                while not stop.wait(0.02):
                    try:
                        peer.sendall(b"\x30")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        where = Where(places_of(f"ldap://127.0.0.1:{listener.getsockname()[1]}"))
        with pytest.raises(Unreachable), connected(where, seconds=0.3) as directory:
            directory.bind(person("dora"), PASSWORD)
        stop.set()
        thread.join()


def test_the_next_server_is_asked(company: DirectoryServer) -> None:
    """One of several that is away does no harm."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    uris = f"ldap://127.0.0.1:{port}, {company.uri}"

    with connected(_where(company, uri=uris)) as directory:
        directory.bind(person("dora"), PASSWORD)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://directory.example.test",
        "ldapi:///run/slapd",
        "ldap://user:secret@directory.example.test",
        "ldap://directory.example.test/dc=example",
        "ldap://169.254.169.254",
        "ldap://[::ffff:169.254.169.254]",
        "ldap://0.0.0.0",
        "ldap://metadata.google.internal",
        "ldap://8.8.8.8",
    ],
)
def test_where_nobody_keeps_a_directory_is_not_gone(uri: str) -> None:
    """Clouds' own services and what is no server are refused, and so are open conversations with the outside."""
    # S-650
    with pytest.raises(Refused), connected(Where(places_of(uri))):
        pass
