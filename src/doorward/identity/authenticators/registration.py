"""What a browser tells about a credential that it has just made, once it was verified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Registered:
    credential_id: str
    """base64url."""
    public_key: str
    """COSE key, base64url."""
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    backed_up: bool
    user_verified: bool
