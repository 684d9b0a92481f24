"""The proxy session cookie: a sealed ticket with a random id, and nothing about the person.

    kind (1) | rounds (1) | since (4) | random id (32) | first 16 bytes of HMAC-SHA-256

in base64url, 72 characters. The seal covers the client id too, so that garbage, a cut cookie and another provider's
cookie are recognised without asking anybody (S-301, S-317). ``kind`` separates a browser that has only begun to log
in from one that has a session: the id of the one is never good for the other (S-312). ``rounds`` and ``since`` count
how often the browser was sent to log in without success, which is how a redirect loop is noticed (S-330).
The store knows only the SHA-256 of the random id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from time import gmtime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from doorward.tokens import base64url

BEGUN = 1
SESSION = 2

PREFIXES = {"": "", "host": "__Host-", "secure": "__Secure-"}
"""Beginnings of names that a browser keeps only if the cookie is what they say."""
_LENGTH = 1 + 1 + 4 + 32 + 16
_TEXT_LENGTH = 72
_MAX_REMEMBERED = 1_000_000
"""As many as a worker knows sessions: about 400 bytes each."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Ticket(Struct, frozen=True, gc=False):
    """What a cookie with a good seal says."""

    kind: int
    rounds: int
    since: int
    """Unix seconds of the first of ``rounds``."""
    secret: bytes
    id_hash: bytes

    def __repr__(self) -> str:
        return f"Ticket(kind={self.kind}, rounds={self.rounds}, since={self.since}, id_hash={self.id_hash!r})"

    @classmethod
    def new(cls, kind: int, rounds: int = 0, since: int = 0) -> Ticket:
        """A ticket with a new random id."""
        secret = secrets.token_bytes(32)
        return cls(kind, rounds, since, secret, hashlib.sha256(secret).digest())

    def counted(self, rounds: int, since: int) -> Ticket:
        """The same id with another count."""
        return replace(self, rounds=rounds, since=since)


class Presented(NamedTuple):
    """What a browser sent under our cookie's name."""

    ticket: Ticket | None
    duplicate: bool = False
    """More than one distinct value: somebody else may have planted one (S-313), so none counts."""


_NOTHING = Presented(None)


class CookieJar:
    """Name, seal and attributes of one proxy provider's cookie."""

    def __init__(
        self,
        client_id: str,
        secret: str,
        secure: bool,
        domain: str = "",
        older: tuple[str, ...] = (),
        prefix: str = "",
        outlives: int = 0,
    ) -> None:
        """``domain``: all hosts under it get the cookie too; without one only the host that set it does. What the
        secrets ``older`` have sealed is still good. ``prefix``: one of ``PREFIXES``. ``outlives``: seconds that a
        browser goes on sending the cookie of a session that has ended, for which it is good for nothing else than to
        be recognised by.

        Raises ValueError for a prefix with which browsers would not keep this cookie (RFC 6265bis section 4.1.3)."""
        if prefix not in PREFIXES:
            raise ValueError(f"cookie prefix {prefix!r} is none of host and secure")
        if prefix and not secure:
            raise ValueError(f"browsers keep {PREFIXES[prefix]} cookies only where the external host is https")
        if prefix == "host" and domain:
            raise ValueError(f"a __Host- cookie is one host's, and this one is for all hosts under {domain!r}")
        short = hashlib.sha256(client_id.encode()).hexdigest()[:8]
        self.name = f"{PREFIXES[prefix]}authentik_proxy_{short}".encode()
        self._only_tls = bool(prefix)
        self._secret = secret.encode()
        self._secrets = (self._secret, *(each.encode() for each in older))
        self._client_id = client_id.encode()
        self.domain = domain
        self._outlives = outlives
        self._attributes = "; HttpOnly; " + ("Secure; " if secure else "") + "SameSite=Lax"
        self._prefix = self.name + b"="
        self._remembered: dict[bytes, Ticket] = {}
        """Sealed texts of sessions, found good. Nobody gets one without a login: no stranger can fill it."""

    def presented(self, cookies: list[bytes], tls: bool = True) -> Presented:
        """The ticket in these ``Cookie`` fields. No browser sends a prefixed name without ``tls``: it is made up
        (S-315)."""
        if self._only_tls and not tls:
            return _NOTHING
        value: bytes | None = None
        for line in cookies:
            if self._prefix not in line:
                continue
            for pair in line.split(b";"):
                stripped = pair.strip(b" \t")
                if not stripped.startswith(self._prefix):
                    continue  # also a nameless pair whose value looks like ours: "=authentik_proxy_…=x" (S-315)
                found = stripped[len(self._prefix) :]
                if value is not None and found != value:
                    return Presented(None, duplicate=True)
                value = found
        return _NOTHING if value is None else Presented(self.unseal(value))

    def seal(self, ticket: Ticket) -> str:
        """The cookie's value."""
        head = bytes((ticket.kind, min(ticket.rounds, 255))) + ticket.since.to_bytes(4, "big")
        sealed = head + ticket.secret
        return base64url.encode(sealed + self._mac(sealed))

    def unseal(self, value: bytes) -> Ticket | None:
        """The ticket in a cookie's value, or None for anything that we did not seal for this provider."""
        known = self._remembered.get(value)
        if known is not None:
            return known
        if len(value) != _TEXT_LENGTH:
            return None
        try:
            data = base64url.decode(value)
        except ValueError:
            return None
        sealed, mac = data[:-16], data[-16:]
        if len(data) != _LENGTH or not self._is_sealed(sealed, mac):
            return None
        if sealed[0] not in (BEGUN, SESSION):
            return None
        secret = sealed[6:]
        since = int.from_bytes(sealed[2:6], "big")
        ticket = Ticket(sealed[0], sealed[1], since, secret, hashlib.sha256(secret).digest())
        if ticket.kind == SESSION:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[value] = ticket
        return ticket

    def pre_login(self, ticket: Ticket | None) -> Ticket:
        """The ticket of a browser that begins to log in.

        One under way is kept. A session that is no more is followed by an id that is worked out from its own, so
        that many tabs that wake up together with the same dead session share one login instead of replacing each
        other's. A session's own id is never used again.
        """
        if ticket is None:
            return Ticket.new(BEGUN)
        if ticket.kind == BEGUN:
            return ticket
        secret = hmac.digest(self._secret, b"after\0" + ticket.secret, "sha256")
        return Ticket(BEGUN, ticket.rounds, ticket.since, secret, hashlib.sha256(secret).digest())

    def set(self, ticket: Ticket, now: float, max_age: int) -> bytes:
        """``Set-Cookie`` that gives the browser ``ticket`` for ``max_age`` seconds."""
        if ticket.kind == SESSION:
            max_age += self._outlives
        expires = _http_date(now + max_age)
        scope = _scope("/", self.domain)
        value = f"{self.seal(ticket)}{scope}; Expires={expires}; Max-Age={max_age}{self._attributes}"
        return self._prefix + value.encode()

    def clear(self) -> bytes:
        """``Set-Cookie`` that takes the cookie away, with the same attributes as it was set with."""
        return self.clear_at("/", self.domain)

    def clear_at(self, path: str, domain: str) -> bytes:
        """The same for a copy that somebody else has set for ``path`` and ``domain`` (empty: this host only)."""
        scope = _scope(path, domain)
        return self._prefix + f"{scope}; Expires={_http_date(0)}; Max-Age=0{self._attributes}".encode()

    def set_other(self, suffix: str, value: str, now: float, max_age: int) -> bytes:
        """``Set-Cookie`` for another cookie of the same browser, scope and flags, whose name ends in ``suffix``; one
        without a value is taken away."""
        name, scope = self.name + suffix.encode(), _scope("/", self.domain)
        expires = _http_date(now + max_age if value else 0)
        text = f"={value}{scope}; Expires={expires}; Max-Age={max_age if value else 0}{self._attributes}"
        return name + text.encode()

    def _is_sealed(self, sealed: bytes, mac: bytes) -> bool:
        return any(hmac.compare_digest(mac, self._mac(sealed, secret)) for secret in self._secrets)

    def _mac(self, sealed: bytes, secret: bytes = b"") -> bytes:
        return hmac.digest(secret or self._secret, b"cookie\0" + sealed + self._client_id, "sha256")[:16]


def _scope(path: str, domain: str) -> str:
    return f"; Path={path}" + (f"; Domain={domain}" if domain else "")


def _http_date(at: float) -> str:
    """IMF-fixdate (RFC 9110 section 5.6.7); ``strftime`` would follow the locale."""
    t = gmtime(at)
    day, month = _WEEKDAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    return f"{day}, {t.tm_mday:02} {month} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
