"""Where a visitor may be sent afterwards: only to a path of this host (S-529)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.urls import reverse

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


def page_path(slug: str, next_url: str = "") -> str:
    """Path of a flow's page, on the way to ``next_url``."""
    path = reverse("flow-page", kwargs={"flow_slug": slug})
    return f"{path}?{urlencode({'next': next_url})}" if next_url else path
