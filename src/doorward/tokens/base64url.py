"""base64url without padding (RFC 4648 section 5, RFC 7515 appendix C), in its one canonical spelling.

The standard decoder skips foreign characters and ignores the unused low bits of the last one, so that many texts
mean the same bytes. A signature, a one-use state or a cookie must not have a second spelling: whatever does not
encode back to itself is refused.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Text for ``data``, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str | bytes) -> bytes:
    """The bytes that ``text`` canonically stands for. Raises ValueError."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        data = urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error
    if urlsafe_b64encode(data).rstrip(b"=") != raw:
        raise ValueError("not canonical base64url")
    return data
