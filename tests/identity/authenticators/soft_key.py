"""A security key made of software: answers WebAuthn ceremonies as a browser would, or as an attacker would."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from doorward.identity.authenticators.challenges import decode, encode

ORIGIN = "https://auth.example.test"
RP_ID = "auth.example.test"
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class SoftKey:
    """One credential. Change a field to make it lie."""

    origin: str = ORIGIN
    rp_id: str = RP_ID
    flags: int = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP
    sign_count: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    """Further members of the client data, such as ``crossOrigin``."""
    kind: str = ""
    """``type`` of the client data, when it shall be another than the right one."""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str = ""
    """What it calls its user; learned when it is registered."""

    def create(self, options: dict[str, Any], *, algorithm: int = -7) -> str:
        """The JSON of ``navigator.credentials.create``."""
        self.handle = options["user"]["id"]
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose(algorithm)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._credential(
            {
                "clientDataJSON": encode(self._client("webauthn.create", options["challenge"])),
                "attestationObject": encode(encode_cbor(statement)),
                "transports": ["internal", "hybrid"],
            }
        )

    def get(self, options: dict[str, Any], **changed: Any) -> str:
        """The JSON of ``navigator.credentials.get``; ``changed`` replaces members of its response."""
        data, client = self._data(), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": encode(client),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": self.handle or None,
                **changed,
            }
        )

    def _credential(self, response: dict[str, Any]) -> str:
        name = encode(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _client(self, kind: str, challenge: str) -> bytes:
        assert decode(challenge)
        members = {"type": self.kind or kind, "challenge": challenge, "origin": self.origin, **self.more}
        return json.dumps(members).encode()

    def _data(self, more_flags: int = 0) -> bytes:
        digest = hashlib.sha256(self.rp_id.encode()).digest()
        return digest + bytes([self.flags | more_flags]) + self.sign_count.to_bytes(4, "big")

    def _cose(self, algorithm: int) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return encode_cbor({1: 2, 3: algorithm, -1: 1, -2: x, -3: y})
