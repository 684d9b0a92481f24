"""Sessions encrypted and authenticated (AES-256-GCM), each bound to where it belongs.

What is sealed for one cookie name, one client of one issuer, and one set of rules about who may enter opens nowhere
else: the place is authenticated with it. So a session of another application, of another issuer, or from before the
rules were changed is no session, whoever presents it. Keys are worked out from secrets; the first seals, all open.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.messages.outposts import ProxyProvider
from doorward.messages.sessions import ProxySession

_VERSION = b"\x01"
_NONCE = 12
_HINT = 4
"""Bytes that say which key: so that the wrong ones need not be tried."""


class Keys:
    """``secrets``: at least one, the one in force first; each at least 32 characters of high entropy."""

    def __init__(self, given: Sequence[str]) -> None:
        self.use(given)

    def use(self, given: Sequence[str]) -> None:
        """From now on these are the secrets."""
        self._ciphers = [
            (
                hmac.digest(secret.encode(), b"doorward sealed session key hint", "sha256")[:_HINT],
                AESGCM(hmac.digest(secret.encode(), b"doorward sealed session key", "sha256")),
            )
            for secret in given
        ]

    def seal(self, session: ProxySession, place: bytes) -> bytes:
        hint, cipher = self._ciphers[0]
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + hint + nonce + cipher.encrypt(nonce, msgspec.msgpack.encode(session), place)

    def open(self, sealed: bytes, place: bytes) -> ProxySession | None:
        """None for whatever these keys have not sealed for this ``place``."""
        head = len(_VERSION) + _HINT
        nonce = sealed[head : head + _NONCE]
        if sealed[:1] != _VERSION or len(nonce) < _NONCE:
            return None
        for hint, cipher in self._ciphers:
            if hint == sealed[1:head]:
                try:
                    plain = cipher.decrypt(nonce, sealed[head + _NONCE :], place)
                    return msgspec.msgpack.decode(plain, type=ProxySession)
                except (InvalidTag, msgspec.MsgspecError):
                    return None
        return None


def place_of(provider: ProxyProvider, cookie: bytes) -> bytes:
    """Where sessions of ``provider`` belong."""
    rules = provider.foreign.rules if provider.foreign is not None else ""
    parts = (cookie, provider.issuer.encode(), provider.client_id.encode(), rules.encode())
    return b"doorward session" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
