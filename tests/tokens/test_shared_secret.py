"""Tokens that we write for ourselves: only the very text that we wrote is read."""

from __future__ import annotations

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec import Struct

from doorward.tokens import base64url, shared_secret
from doorward.tokens.refused import TokenRefused

SECRET = b"s" * 40


class Note(Struct):
    text: str


TOKEN = shared_secret.write(b'{"text":"hello"}', SECRET)


def signed(header: dict[str, object], payload: bytes = b'{"text":"hello"}', secret: bytes = SECRET) -> str:
    head = f"{base64url.encode(json.dumps(header).encode())}.{base64url.encode(payload)}"
    return f"{head}.{base64url.encode(hmac.digest(secret, head.encode(), 'sha256'))}"


def test_round_trip_and_a_second_opinion() -> None:
    """What we write is read by us and by an independent implementation."""
    assert shared_secret.read(TOKEN, SECRET, Note) == Note("hello")
    assert jwt.decode(TOKEN, OctKey.import_key(SECRET)).claims == {"text": "hello"}


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        TOKEN + "=",
        TOKEN[:-1],
        " " + TOKEN,
        TOKEN + "\n",
        "x" * 20000,
        "ü" + TOKEN,
        signed({"alg": "none", "typ": "JWT"}),  # S-429
        signed({"alg": "HS512", "typ": "JWT"}),
        signed({"alg": "HS256", "typ": "JWT", "crit": ["x"], "x": 1}),  # S-432
        signed({"alg": "HS256", "typ": "JWT"}, secret=b"other" * 10),
        shared_secret.write(b"[]", SECRET),
        shared_secret.write(b"{}", SECRET),
        shared_secret.write(b"\xff", SECRET),
        shared_secret.write(b"[" * 5000, SECRET),
    ],
)
def test_everything_else_is_refused(token: str) -> None:
    """Another header, another secret, another payload, another spelling."""
    with pytest.raises(TokenRefused):
        shared_secret.read(token, SECRET, Note)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AQgw_-.9z"))
def test_every_character_counts(at: int, other: str) -> None:
    """No character can be changed."""
    if TOKEN[at] != other:
        with pytest.raises(TokenRefused):
            shared_secret.read(TOKEN[:at] + other + TOKEN[at + 1 :], SECRET, Note)
