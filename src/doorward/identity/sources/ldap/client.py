"""The one module that knows ldap3: a connection that ends in time, and searches page by page.

Imported on use only. Nothing is followed (referrals), nothing is believed without a certificate that was checked,
an empty password is never sent (RFC 4513 section 5.1.2: servers take it for nobody's, and say yes), and all answers of
a connection together have a limit.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ldap3
from django.utils.translation import gettext as _
from ldap3.core.exceptions import LDAPException

from doorward.identity.sources.ldap.entries import LONGEST_VALUE, Entry
from doorward.identity.sources.ldap.places import (
    NotAsked,
    Place,
    Refused,
    Rejected,
    Unreachable,
    Where,
    WrongPassword,
    address_of,
)
from doorward.net.client_tls import client_context
from doorward.net.tls import CertificateUnusable

SECONDS = 10.0
"""For a connection with everything that is asked on it, unless it is given more."""
CONNECT_SECONDS = 5.0
"""For each server, until the next one is tried."""
PAGE = 500
LARGEST = 512 * 1024 * 1024
"""Bytes of all answers on one connection."""
_INVALID_CREDENTIALS = 49
_PAGED = "1.2.840.113556.1.4.319"


class Directory:
    """A connection to a directory. Raises Rejected and Unreachable, whatever is asked."""

    def __init__(self, connection: Any, timed: _Timed) -> None:
        self._connection = connection
        self._timed = timed

    def give(self, seconds: float) -> None:
        """From now on, this long for what follows."""
        self._timed.until = time.monotonic() + seconds

    def bind(self, dn: str, password: str) -> None:
        """Become ``dn``. Raises WrongPassword, also for an empty password, which is never sent."""
        if not dn or not password:
            raise WrongPassword(_("Neither a name nor a password may be empty."))
        with _understood():
            if not self._connection.rebind(user=dn, password=password, authentication=ldap3.SIMPLE):
                self._refuse()
        if self._connection.result["result"] != 0:
            self._refuse()

    def search(self, base: str, condition: str, attributes: list[str], *, page: int = PAGE) -> Iterator[list[Entry]]:
        """All entries below ``base``, a page at a time; a search that ends early raises, it never looks complete."""
        cookie: bytes | None = None
        while True:
            entries, cookie = self._ask(base, condition, ldap3.SUBTREE, attributes, page, cookie)
            yield entries
            if not cookie:
                return

    def read(self, dn: str, attributes: list[str], condition: str = "(objectClass=*)") -> Entry | None:
        """One entry by its name, if it meets the condition."""
        entries, _cookie = self._ask(dn, condition, ldap3.BASE, attributes, 0, None)
        return entries[0] if entries else None

    def find(self, base: str, condition: str, attributes: list[str], *, most: int) -> list[Entry]:
        """Up to ``most`` entries below ``base``."""
        return self._ask(base, condition, ldap3.SUBTREE, attributes, most, None)[0]

    def _ask(
        self, base: str, condition: str, scope: str, attributes: list[str], page: int, cookie: bytes | None
    ) -> tuple[list[Entry], bytes | None]:
        with _understood():
            self._connection.search(
                base,
                condition,
                search_scope=scope,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=attributes,
                paged_size=page or None,
                paged_cookie=cookie,
            )
        result = self._connection.result
        if result["result"] != 0:
            self._refuse()
        control = (result.get("controls") or {}).get(_PAGED)
        found = [_entry(row) for row in self._connection.response if row["type"] == "searchResEntry"]
        return found, control["value"]["cookie"] if control else None

    def _refuse(self) -> None:
        result = self._connection.result
        text = f"{result['description']} {result['message']}".strip()[:300]
        if result["result"] == _INVALID_CREDENTIALS:
            raise WrongPassword(_("The server does not know this name with this password."))
        raise Rejected(_("The server says: %(text)s") % {"text": text})


@contextmanager
def connected(where: Where, *, seconds: float = SECONDS) -> Iterator[Directory]:
    """A connection, nobody's yet, encrypted as ``where`` says. Raises Refused, Unreachable."""
    until = time.monotonic() + seconds
    failure: Exception = Unreachable(_("No server is named."))
    for place in where.places:
        try:
            connection, timed = _open(where, place, until)
        except (Unreachable, Refused) as error:
            failure = error
            continue
        try:
            yield Directory(connection, timed)
        finally:
            timed.until = min(timed.until, time.monotonic() + 1.0)
            with suppress(LDAPException, OSError):
                connection.unbind()
            timed.close()
        return
    raise failure


def _open(where: Where, place: Place, until: float) -> tuple[Any, _Timed]:
    remaining = until - time.monotonic()
    if remaining <= 0:
        raise Unreachable(_("%(place)s does not answer in time.") % {"place": place})
    address = address_of(place, place.tls or where.start_tls, remaining)
    try:
        context = client_context(where.tls)
    except CertificateUnusable as error:
        raise Refused(str(error)) from error
    # Whoever names one certificate trusts that one, whether or not it is an authority's.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    timed = _Timed(until)
    server = ldap3.Server(
        address,
        place.port,
        use_ssl=place.tls,
        get_info=ldap3.NONE,
        tls=_Tls(context, place.host, timed),
        connect_timeout=min(remaining, CONNECT_SECONDS),
    )
    connection = ldap3.Connection(
        server,
        client_strategy=ldap3.SYNC,
        auto_referrals=False,
        check_names=False,
        auto_encode=False,
        return_empty_attributes=False,
    )
    try:
        with _understood(place):
            connection.open(read_server_info=False)
            if not place.tls:
                connection.socket = timed.over(connection.socket)
                if where.start_tls:
                    connection.start_tls(read_server_info=False)
    except NotAsked:
        if connection.socket is not None:
            connection.socket.close()
        raise
    return connection, timed


class _Timed:
    """A socket whose conversation has an end, and an amount. ldap3 itself only limits each single read."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.left = LARGEST
        self.raw: Any = None

    def over(self, raw: socket.socket) -> _Timed:
        self.raw = raw
        return self

    def recv(self, size: int) -> bytes:
        self._wait_at_most()
        data: bytes = self.raw.recv(size)
        self.left -= len(data)
        if self.left < 0:
            raise OSError("the answers are too large")
        return data

    def sendall(self, data: bytes) -> None:
        self._wait_at_most()
        self.raw.sendall(data)

    def close(self) -> None:
        if self.raw is not None:
            self.raw.close()

    def _wait_at_most(self) -> None:
        remaining = self.until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("no answer in time")
        self.raw.settimeout(remaining)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS as the rest of the program speaks it: the name and the chain checked, TLS 1.2 at least."""

    def __init__(self, context: ssl.SSLContext, host: str, timed: _Timed) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context, self._host, self._timed = context, host, timed

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        raw = connection.socket.raw if isinstance(connection.socket, _Timed) else connection.socket
        raw.settimeout(max(0.1, self._timed.until - time.monotonic()))
        connection.socket = self._timed.over(self._context.wrap_socket(raw, server_hostname=self._host))


@contextmanager
def _understood(place: Place | None = None) -> Iterator[None]:
    """ldap3's and the socket's troubles as our own."""
    try:
        yield
    except (LDAPException, OSError, ValueError, KeyError) as error:
        # What ldap3 raises carries what the socket said as text, at most.
        text = " ".join(str(error).split())[:300]
        subject = f"{place}: " if place else ""
        raise Unreachable(
            _("The directory does not answer as it should: %(text)s") % {"text": subject + text}
        ) from error


def _entry(row: dict[str, Any]) -> Entry:
    values = {
        str(name): kept
        for name, given in row["raw_attributes"].items()
        if (kept := tuple(value for value in given if len(value) <= LONGEST_VALUE))
    }
    return Entry(str(row["dn"]), values)
