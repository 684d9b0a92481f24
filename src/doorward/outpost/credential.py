"""The ``Authorization`` field of a program, as what it presents (RFC 7617, RFC 6750)."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from dataclasses import dataclass, field

from doorward.tokens.issuer_keys import MAX_TOKEN

USER_OF_TOKENS = "goauthentik.io/token"
"""As the user name of Basic: the password is a bearer token. For programs that can only do Basic."""
_MAX_PAIR = 4096


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A user name with one of that user's app passwords; never the password that people log in with (S-319)."""

    username: str
    password: str = field(repr=False)

    @property
    def id_hash(self) -> bytes:
        """SHA-256 of the secret: what the issuer calls it when it ends."""
        return hashlib.sha256(self.password.encode()).digest()


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An access token."""

    token: str = field(repr=False)

    @property
    def id_hash(self) -> bytes:
        """SHA-256 of the token."""
        return hashlib.sha256(self.token.encode()).digest()


def read(authorization: bytes) -> AppPassword | BearerToken | None:
    """What the field presents, or None when that is nothing that anybody could be recognised by."""
    scheme, _, rest = authorization.partition(b" ")
    given = rest.strip(b" ")
    match scheme.lower():
        case b"bearer":
            return _token(given)
        case b"basic":
            return _pair(given)
        case _:
            return None


def is_basic(authorization: bytes) -> bool:
    """Whether a program has shown that Basic is what it can do."""
    return authorization[:6].lower() == b"basic "


def _token(given: bytes) -> BearerToken | None:
    if not given or len(given) > MAX_TOKEN or not given.isascii():
        return None
    token = given.decode("ascii")
    return BearerToken(token) if token.isprintable() and " " not in token else None


def _pair(given: bytes) -> AppPassword | BearerToken | None:
    try:
        text = b64decode(given, validate=True).decode("utf-8") if len(given) <= MAX_TOKEN * 2 else ""
    except (binascii.Error, UnicodeDecodeError):
        return None
    username, _, password = text.partition(":")
    if username == USER_OF_TOKENS:
        return _token(password.encode())
    if not username or not password or len(text) > _MAX_PAIR or not text.isprintable():
        return None
    return AppPassword(username, password)
