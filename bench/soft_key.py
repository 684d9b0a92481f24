"""A passkey made of software: signs what a login page asks, as a browser and its authenticator would.

It is one that the identity provider knows already (``people.py`` registers them), so signing is all there is to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT_AND_VERIFIED = 0x05


@dataclass(frozen=True, slots=True)
class SoftKey:
    """One credential of one user."""

    credential: str
    """Its id, base64url."""
    handle: str
    """What it calls its user, base64url."""
    secret: int
    """Of the P-256 key."""

    def assertion(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """What ``navigator.credentials.get`` answers to ``options`` at ``origin``; its counter stays 0."""
        client = {"type": "webauthn.get", "challenge": options["challenge"], "origin": origin, "crossOrigin": False}
        said = json.dumps(client).encode()
        data = hashlib.sha256(options["rpId"].encode()).digest() + bytes([_PRESENT_AND_VERIFIED, 0, 0, 0, 0])
        key = ec.derive_private_key(self.secret, ec.SECP256R1())
        signature = key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": _text(said), "authenticatorData": _text(data), "signature": _text(signature)}
        return {
            "id": self.credential,
            "rawId": self.credential,
            "type": "public-key",
            "response": {**response, "userHandle": self.handle},
        }


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
