"""Logos and favicons: what may be shown, and what may be uploaded."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from doorward.identity.brands import pictures
from doorward.identity.brands.models import Picture
from identity.brands import drawn

PNG = drawn.png()


@pytest.mark.parametrize(
    "address", ["", "/static/logo.png", "https://cdn.example.test/a/logo.svg?v=2", "https://cdn.example.test:8443/x"]
)
def test_paths_and_https_urls_are_taken(address: str) -> None:
    """Nothing else is needed."""
    pictures.require_address("branding_logo", address)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "http://cdn.example.test/logo.png",
        "//cdn.example.test/logo.png",
        "/\\cdn.example.test",
        "https://user:secret@cdn.example.test/",
        "https://cdn.example.test; script-src *",
        "https://cdn.example.test'/x",
        "logo.png",
        "https://",
        "https://[::1",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    """No script, no plain text, nothing that could end a directive of the policy."""  # S-530
    with pytest.raises(ValidationError):
        pictures.require_address("branding_logo", address)
    assert pictures.shown(address) == ""


def test_authentik_s_own_pictures_are_ours() -> None:
    """A configuration made for it names files that only it has."""
    assert pictures.shown("/static/dist/assets/icons/icon_left_brand.svg") == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (drawn.jpeg(4096, 4096), "image/jpeg"),
        (drawn.gif(), "image/gif"),
        (drawn.webp(), "image/webp"),
        (drawn.webp(kind=b"VP8L"), "image/webp"),
        (drawn.webp(kind=b"VP8 "), "image/webp"),
        (drawn.ico(), "image/x-icon"),
        (drawn.ico(drawn.png(16, 16), drawn.png(256, 256)), "image/x-icon"),
    ],
)
def test_pictures_are_known_by_their_first_bytes(content: bytes, kind: str, db: None) -> None:
    """The type that they are served with is never what somebody claims."""
    address = pictures.keep("logo_file", content)
    answer = Client().get(address)

    assert answer.content == content
    assert answer["Content-Type"] == kind
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"  # S-614
    assert answer["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b"",
        b"BM not one of them",
        PNG + b"\0" * pictures.LARGEST,
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
        b"GIF89a",
        b"\xff\xd8\xff\xe0" + b"\xff" * 9,
        b"RIFF\x10\0\0\0WEBPVP9 ",
        b"\0\0\x01\0\x09\0",
        drawn.png(0, 1),
        *(draw(side, 1) for draw in (drawn.png, drawn.gif, drawn.jpeg, drawn.webp) for side in (4097, 16384)),
        drawn.png(1, 1 << 31),
        drawn.webp(5000, 1, b"VP8L"),
        drawn.webp(1, 5000, b"VP8 "),
        drawn.ico(drawn.png(16, 16), drawn.png(60_000, 60_000)),
    ],
)
def test_what_is_no_safe_picture_is_not_kept(content: bytes, db: None) -> None:
    """SVG carries scripts; the rest is no picture, or too large, or would be once it is unpacked."""  # S-530 S-614
    with pytest.raises(ValidationError):
        pictures.keep("logo_file", content)
    assert not Picture.objects.exists()
