"""Where a URL leads."""

from __future__ import annotations

import pytest

from doorward.messages.routing import ClientTls
from doorward.net.origin import Origin


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("http://a.test", Origin("http", "a.test", 80), b"a.test"),
        ("http://A.test:8080/path?q", Origin("http", "a.test", 8080), b"a.test:8080"),
        ("https://a.test:443", Origin("https", "a.test", 443), b"a.test"),
        ("http://[::1]:81/", Origin("http", "::1", 81), b"[::1]:81"),
        ("unix:/run/x.sock", Origin("unix", path="/run/x.sock"), b"localhost"),
        ("unix:///run/x.sock", Origin("unix", path="/run/x.sock"), b"localhost"),
    ],
)
def test_parsing(url: str, origin: Origin, authority: bytes) -> None:
    """Scheme, host, port or socket; and what the Host field says."""
    assert Origin.parse(url) == origin
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url", ["", "a.test", "ftp://a.test", "http://", "http://u:p@a.test", "unix:x", "http://a:99999"]
)
def test_what_is_no_server(url: str) -> None:
    """Anything else is a ValueError, before it is ever called."""
    with pytest.raises(ValueError, match=r".+"):
        Origin.parse(url)


def test_tls_settings_are_for_tls() -> None:
    """They are part of an https origin, and nothing of an http one."""
    tls = ClientTls(insecure_skip_verify=True)

    assert Origin.parse("https://a.test", tls).tls is tls
    assert Origin.parse("http://a.test", tls).tls is None
