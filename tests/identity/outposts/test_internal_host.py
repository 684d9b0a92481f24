"""The inside URL of an application in proxy mode."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.outposts.internal_host import normalised

OUTSIDE = "https://wiki.example.test"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://wiki:3000", "http://wiki:3000"),
        (" HTTP://Wiki:80/ ", "http://wiki"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[fd00::7]:80", "http://[fd00::7]"),
        ("http://wiki_app.default.svc.cluster.local:8080", "http://wiki_app.default.svc.cluster.local:8080"),
        ("https://wiki.example.test:8443", "https://wiki.example.test:8443"),
        ("http://bücher.internal", "http://xn--bcher-kva.internal"),
    ],
)
def test_one_normal_form(written: str, meant: str) -> None:
    """Private machines are what it is for."""
    assert normalised(written, OUTSIDE) == meant


@pytest.mark.parametrize(
    "written",
    [
        "wiki:3000",
        "ftp://wiki",
        "http://",
        "http://user:word@wiki",
        "http://wiki/app",
        "http://wiki/?x",
        "http://wiki:0",
        "http://wiki:70000",
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://[fe80::1]",
        "http://[fd00:ec2::254]",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "http://224.0.0.1",
        "http://2130706433",
        "http://0x7f.1",
        "http://10.1",
        "http://010.0.0.1",
        "http://metadata.google.internal",
        "http://wiki internal",
        "http://wiki\\@evil.test",
        "https://wiki.example.test",
        "https://wiki.example.test:443/",
    ],
)
def test_what_is_no_inside_url(written: str) -> None:
    """Cloud metadata, spellings that programs read differently, and the outside URL itself."""  # S-650
    with pytest.raises(ValidationError) as refusal:
        normalised(written, OUTSIDE)
    assert "internal_host" in refusal.value.message_dict
