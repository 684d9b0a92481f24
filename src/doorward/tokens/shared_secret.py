"""Tokens that we write and only we read: compact JWS with HMAC-SHA-256 (RFC 7515, RFC 7518 section 3.2).

There is exactly one header that we ever write, so there is exactly one that we accept: no algorithm is read from
the token (RFC 8725 section 3.1), and ``none``, another hash, ``crit`` or an unknown header are all the same refusal.
"""

from __future__ import annotations

import hmac
from typing import TypeVar

import msgspec

from doorward.tokens import base64url
from doorward.tokens.refused import TokenRefused

_HEADER = base64url.encode(b'{"alg":"HS256","typ":"JWT"}')
_MAX_LENGTH = 16384
Claims = TypeVar("Claims", bound=msgspec.Struct)


def write(claims: bytes, secret: bytes, typ: str = "JWT") -> str:
    """A token that holds ``claims`` (JSON text), signed with ``secret``. One of another ``typ`` is for others to read:
    ``read`` does not take it."""
    header = _HEADER if typ == "JWT" else base64url.encode(b'{"alg":"HS256","typ":"%s"}' % typ.encode())
    signed = f"{header}.{base64url.encode(claims)}"
    return f"{signed}.{base64url.encode(hmac.digest(secret, signed.encode(), 'sha256'))}"


def read(token: str, secret: bytes, shape: type[Claims]) -> Claims:
    """The claims of a token that ``write`` made with the same secret, as ``shape``. Raises TokenRefused."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        raise TokenRefused("format", "too long or not ASCII")
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    if header != _HEADER:
        raise TokenRefused("header", "not a header that we write")
    expected = base64url.encode(hmac.digest(secret, signed.encode(), "sha256"))
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise TokenRefused("signature", "does not match")
    try:
        return msgspec.json.decode(base64url.decode(payload), type=shape)
    except (ValueError, msgspec.MsgspecError) as error:
        raise TokenRefused("format", "the payload is not what we write") from error
