"""Where a visitor may be sent afterwards: only to a path of this host (S-529)."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 8000


def safe_next(url: str) -> str:
    """``url`` if it is an absolute path on this host, else the empty string.

    Browsers drop tabs and line breaks, read ``\\`` as ``/``, and trim white space before they look for a scheme or an
    authority; hence whatever holds one of these is refused, not repaired.
    """
    if not url.startswith("/") or url.startswith("//") or len(url) > LONGEST:
        return ""
    if "\\" in url or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc else url
