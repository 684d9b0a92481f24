"""The outside URL, in the ways in which people write it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.outposts.external_host import covers, normalised, redirect_uris


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://app.example.test", "https://app.example.test"),
        ("https://app.example.test/", "https://app.example.test"),
        ("https://app.example.test/*", "https://app.example.test"),
        ("  HTTPS://App.Example.TEST:443/?x=1#y ", "https://app.example.test"),
        ("http://app.example.test:80", "http://app.example.test"),
        ("https://app.example.test:8443/", "https://app.example.test:8443"),
        ("https://app.example.test/wiki/", "https://app.example.test/wiki"),
        ("https://app.example.test/wiki/*", "https://app.example.test/wiki"),
        ("https://bücher.example.test", "https://xn--bcher-kva.example.test"),
        ("https://app.example.test./", "https://app.example.test"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_one_normal_form(written: str, meant: str) -> None:
    """Whatever was meant is stored the same."""
    assert normalised(written) == meant
    assert normalised(meant) == meant


@pytest.mark.parametrize(
    "written",
    [
        "app.example.test",
        "ftp://app.example.test",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user:password@app.example.test",
        "https://*.example.test",
        "https://app.example.test/*/x",
        "https://app.example.test:99999",
        "https://app.example.test:x",
        "https://app example.test",
        "https://app.example.test/a b",
        "https://app..example.test",
        "https://app.example.test\\@evil.test",
        "https://app.example.test/\n",
        "https://[::1",
    ],
)
def test_what_is_no_outside_url(written: str) -> None:
    """Refused with the field's name."""
    if written.endswith("\n"):
        assert normalised(written) == "https://app.example.test"
        return
    with pytest.raises(ValidationError) as refusal:
        normalised(written)

    assert "external_host" in refusal.value.message_dict


def test_the_redirect_uris_are_the_outposts_callback() -> None:
    """Two strict entries, as the original has them (C3)."""
    assert redirect_uris("https://app.example.test") == [
        {
            "matching_mode": "strict",
            "url": "https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
            "redirect_uri_type": "authorization",
        },
        {
            "matching_mode": "strict",
            "url": "https://app.example.test?X-authentik-auth-callback=true",
            "redirect_uri_type": "authorization",
        },
    ]


def test_below_a_path_both_ways_of_joining_work() -> None:
    """Outposts append or join; both callbacks are known."""
    urls = [entry["url"] for entry in redirect_uris("https://example.test/wiki")]

    assert "https://example.test/wiki/outpost.goauthentik.io/callback?X-authentik-auth-callback=true" in urls
    assert "https://example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true" in urls


def test_a_domain_covers_at_a_dot() -> None:
    """A suffix that is not a parent domain covers nothing."""  # S-308
    assert covers("example.test", "https://app.example.test")
    assert covers(".example.test", "https://example.test")
    assert not covers("example.test", "https://notexample.test")
    assert not covers("", "https://app.example.test")
