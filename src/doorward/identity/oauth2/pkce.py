"""Proof Key for Code Exchange (RFC 7636), S256 only: ``plain`` protects nothing (RFC 9700 section 2.1.1)."""

from __future__ import annotations

import hashlib
import hmac
import re

from doorward.tokens import base64url

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether ``text`` can be the base64url form of a SHA-256."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str | None, challenge: str) -> bool:
    """Whether the verifier answers the challenge. Neither there is fine; one without the other never is: a client
    that sent no challenge but has a verifier was downgraded by somebody on the way (S-408, S-409)."""
    if not challenge:
        return verifier is None
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        return False
    derived = base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
    return hmac.compare_digest(derived, challenge)
