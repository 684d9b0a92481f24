"""What the pages of stages need: QR codes, JSON for scripts, secrets in groups that people can type, texts by key."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import msgspec
from django import template

register = template.Library()

_GROUP = 4


@register.filter
def json(value: object) -> str:
    """``value`` as JSON, for a ``data-`` attribute (where it is escaped like any text)."""
    return msgspec.json.encode(value).decode()


@register.simple_tag
def qr_code(text: str) -> str:
    """An image address that holds ``text`` as a QR code, dark on light whatever the page's colours."""
    import segno

    return segno.make(text, micro=False, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")


@register.filter
def seed_in(config_url: str) -> str:
    """The seed of an ``otpauth://`` address, in groups of four."""
    seed = parse_qs(urlsplit(config_url).query).get("secret", [""])[0]
    return " ".join(seed[start : start + _GROUP] for start in range(0, len(seed), _GROUP))


@register.filter
def of(mapping: dict[str, str], key: str) -> str:
    """The text under ``key``, which is not known when the page is written."""
    return mapping.get(key, "")
