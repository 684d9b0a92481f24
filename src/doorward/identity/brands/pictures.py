"""Logos, favicons and icons: where they may be fetched from, and what may be uploaded.

A picture is a path of this host or an ``https`` URL; it is only ever the source of an ``<img>`` or of the icon, where
no script in it runs, and the page's policy names its origin and no other. What is uploaded is served from our own
origin, where a navigation to it would be a page: so it must be one of the formats that hold pixels and nothing else,
which its first bytes say; SVG is none of them (S-530). What it is called by whoever uploads it plays no part: it is
kept in the database, under the hash of its content, and a size that no browser could hold is refused (S-614).
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.applications.models import Application
from doorward.identity.brands.dimensions import size_of
from doorward.identity.brands.models import Brand, Picture
from doorward.identity.flows.next_url import safe_next

STORED = "/brand/pictures/"
OF_AUTHENTIK = "/static/dist/"
"""Pictures that come with authentik, named in configurations made for it; ours stands in for them."""
LARGEST = 256 * 1024
"""Bytes."""
LARGEST_SIDE = 4096
"""Pixels."""
LONGEST = 2000
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)
_HOST = re.compile(r"[a-z0-9.-]+", re.ASCII)


def require_address(field: str, address: str) -> None:
    """Raise ValidationError unless ``address`` is empty, a path of this host or an https URL."""
    if address and not safe_next(address) and not origin_of(address):
        raise ValidationError({field: [_("A path that begins with one slash, or an https URL.")]})


def origin_of(address: str) -> str:
    """``https://host[:port]`` of an https URL, as a policy names it; empty for everything else."""
    if len(address) > LONGEST or any(character <= " " or character in "\"'<>;,\\" for character in address):
        return ""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme != "https" or not _HOST.fullmatch(host) or parts.username or parts.password:
        return ""
    return f"https://{host}:{port}" if port else f"https://{host}"


def shown(address: str) -> str:
    """The address that a page uses; empty where our own mark stands instead."""
    if address.startswith(OF_AUTHENTIK) or not (safe_next(address) or origin_of(address)):
        return ""
    return address


def media_type_of(content: bytes) -> str:
    """What the first bytes say; empty for what is no picture, or no safe one."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


def keep(field: str, content: bytes) -> str:
    """Store an uploaded picture; answers its address. Raises ValidationError."""
    if len(content) > LARGEST:
        raise ValidationError({field: [_("At most %(size)s KiB.") % {"size": LARGEST // 1024}]})
    kind = media_type_of(content)
    if not kind:
        raise ValidationError({field: [_("A PNG, JPEG, GIF, WebP or ICO picture. SVG can carry scripts.")]})
    size = size_of(content)
    if size is None or not all(0 < side <= LARGEST_SIDE for side in size):
        raise ValidationError({field: [_("At most %(n)s pixels wide and high.") % {"n": LARGEST_SIDE}]})
    key = hashlib.sha256(content).hexdigest()
    Picture.objects.get_or_create(key=key, defaults={"media_type": kind, "content": content})
    return STORED + key


def forget_unused() -> None:
    """Delete uploads that neither a brand nor an application shows any more."""
    brands = Brand.objects.values_list("branding_logo", "branding_favicon")
    shown = [address for pair in brands for address in pair]
    shown += Application.objects.filter(meta_icon__startswith=STORED).values_list("meta_icon", flat=True)
    Picture.objects.exclude(key__in={address.removeprefix(STORED) for address in shown}).delete()
