"""How much of anything a peer may send us; the defaults are section 3 of the security contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All in bytes unless the name says otherwise."""

    request_line: int = 8192
    """Over it: 414. RFC 9112 section 3 asks for at least 8000."""
    field: int = 16384
    """One header field, name and value; over it: 431."""
    header: int = 65536
    """All header fields together; over it: 431."""
    fields: int = 100
    """Number of header fields; over it: 431."""
    cookies: int = 200
    """Number of cookie pairs; over it: 431. Browsers keep about 180 per site."""
    method: int = 32
    """Length of a method; over it: 501."""
    chunk_line: int = 256
    """A chunk-size line with its extensions; over it: 400."""
    chunk_overhead: int = 16384
    """What chunk framing may cost beyond twice the payload (CVE-2023-39326); over it: 400."""
    trailers: int = 8192
    """Trailer fields together; over it: 431."""


DEFAULT_LIMITS = Limits()
