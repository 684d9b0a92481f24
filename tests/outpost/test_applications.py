"""From a host name to an application: every spelling of the same place, and no other place."""

from __future__ import annotations

import pytest

from doorward.messages.outposts import OutpostConfiguration
from doorward.outpost.applications import Applications
from outpost.world import provider


def applications(*hosts: str, **changes: object) -> Applications:
    providers = [provider(pk, host, **changes) for pk, host in enumerate(hosts, 1)]
    return Applications(OutpostConfiguration(providers=tuple(providers)))


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("app.example.test", "https"),
        ("APP.Example.Test", "https"),
        ("app.example.test.", "https"),  # S-216
        ("app.example.test:443", "https"),
        ("app.example.test.:443", "https"),
        ("app.example.test:80", "http"),
        ("app.example.test", "http"),
        ("app.example.test", ""),
    ],
)
def test_spellings_of_one_place(host: str, scheme: str) -> None:
    """Case, a trailing dot and a default port make no difference."""
    found = applications("app.example.test").find(host, scheme)
    assert found is not None
    assert found.provider.pk == 1


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":443",
        "app.example.test:8443",
        "app.example.test:0",
        "app.example.test:99999",
        "app.example.test:",
        "app.example.test, evil.test",
        "app.example.test/x",
        "user@app.example.test",
        "app..example.test",
        "..",
        "xapp.example.test",
        "app.example.test\x00",
        "app.example.test ",
        "[::1",
    ],
)
def test_other_places(host: str) -> None:
    """Anything else is nobody's, and is not repaired into somebody's."""  # S-219
    assert applications("app.example.test").find(host, "https") is None


def test_ports_tell_applications_apart() -> None:
    """Two applications of one name on two ports; without a port only one of them can be meant or none."""
    both = applications("app.example.test:8443", "app.example.test:9443")
    first, second = both.find("app.example.test:8443", "https"), both.find("app.example.test:9443", "https")
    assert first is not None
    assert second is not None
    assert (first.provider.pk, second.provider.pk) == (1, 2)
    assert both.find("app.example.test", "https") is None
    one = applications("app.example.test:8443")
    assert one.find("app.example.test", "https") is not None
    assert one.find("app.example.test:1", "https") is None


def test_addresses() -> None:
    """IPv4 and IPv6 literals are names like others."""
    found = applications("127.0.0.1:8443", "[::1]:8443").find("[::1]:8443", "https")
    assert found is not None
    assert found.origin == "https://[::1]:8443"


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "forward_domain"},
        {"mode": "rac"},
        {"cookie_secret": "short"},
        {"cookie_secret": ""},
        {"external_host": "app.example.test"},
        {"external_host": "ftp://app.example.test"},
        {"external_host": "https://"},
    ],
)
def test_what_cannot_be_served_safely_is_left_out(changes: dict[str, object], caplog: pytest.LogCaptureFixture) -> None:
    """Its host is refused, and the log says why."""
    assert applications("app.example.test", **changes).find("app.example.test", "https") is None
    assert "is not served" in caplog.text


def test_two_providers_for_one_host(caplog: pytest.LogCaptureFixture) -> None:
    """The older one keeps it; which one answers is never a matter of order."""
    providers = (provider(2, "app.example.test"), provider(1, "APP.example.test:443"))
    found = Applications(OutpostConfiguration(providers=providers)).find("app.example.test", "https")
    assert found is not None
    assert found.provider.pk == 1
    assert "already has the external host" in caplog.text


def test_unchanged_applications_are_kept() -> None:
    """A new configuration rebuilds only what differs."""
    before = applications("a.test", "b.test")
    changed = provider(2, "b.test", name="changed")
    after = Applications(OutpostConfiguration(providers=(provider(1, "a.test"), changed)), before)
    assert after.by_pk[1] is before.by_pk[1]
    assert after.by_pk[2] is not before.by_pk[2]
