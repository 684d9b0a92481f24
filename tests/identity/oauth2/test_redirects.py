"""Where codes may go: the redirect URIs of room E, case by case, against the matcher itself."""

from __future__ import annotations

import pytest

from doorward.identity.oauth2 import redirects
from doorward.identity.oauth2.redirects import BadRedirectUri, RedirectUri


def _registered(url: str, mode: str = "strict", purpose: str = "authorization") -> list[dict[str, str]]:
    return [{"matching_mode": mode, "url": url, "redirect_uri_type": purpose}]


@pytest.mark.parametrize(
    "sent",
    [
        "http://rp.example.test/cb",
        "https://rp2.example.test/cb",
        "https://rp.example.test:444/cb",
        "https://rp.example.test/cb/x",
        "https://rp.example.test/cbx",
        "https://rp.example.test/cb/",
        "https://rp.example.test/cb?x=1",
        "https://rp.example.test/cb#x",
        "https://rp.example.test/CB",
        "https://rp.example.test/cb/../evil",
        "https://rp.example.test@evil.test/cb",
        "https://rp.example.test/cb ",
        "https://rp.example.test/cb\n",
        "",
    ],
)
def test_strict_is_equality(sent: str) -> None:
    """Whatever differs from the registered address in any way is refused."""  # S-401
    assert not redirects.permitted(_registered("https://rp.example.test/cb"), sent, "authorization")


def test_strict_takes_the_registered_one() -> None:
    """The registered address itself is taken."""  # S-401
    registered = _registered("https://rp.example.test/cb?x=1")
    assert redirects.permitted(registered, "https://rp.example.test/cb?x=1", "authorization")


@pytest.mark.parametrize(
    ("registered", "sent", "permitted"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", True),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True),
        ("http://[::1]/cb", "http://[::1]:8080/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51234/other", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:51234/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:51234/cb", False),
        ("http://127.0.0.1/cb", "http://localhost:51234/cb", False),
        ("http://localhost/cb", "http://localhost:51234/cb", False),
        ("https://127.0.0.1/cb", "https://127.0.0.1:51234/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.test/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", False),
    ],
)
def test_native_applications_may_use_any_loopback_port(registered: str, sent: str, permitted: bool) -> None:
    """Any port, for the literal loopback addresses only, over http only, for the same path only."""  # S-402
    assert redirects.permitted(_registered(registered), sent, "authorization") is permitted


@pytest.mark.parametrize(
    ("sent", "permitted"),
    [
        ("https://foo.example.test/", True),
        ("https://foo.example.test/a/b?c=d", True),
        ("https://foo.example.test/\n", False),
        ("https://foo.example.test/a\nb", False),
        ("https://fooXexample.test/", False),
        ("https://foo.example.test.evil.test/", False),
        ("https://evil.test/https://foo.example.test/", False),
        ("http://foo.example.test/", False),
        ("https://foo.example.test@evil.test/", False),
        ("https://foo.example.test/\\evil.test", False),
        ("https://foo.example.test/x/../../evil", False),
        ("https://foo.example.test/x/%2e%2E/evil", False),
        ("https://foo.example.test/#code", False),
        ("https://foo.example.test/" + "a" * 600, False),
    ],
)
def test_regex_matches_the_whole_address(sent: str, permitted: bool) -> None:
    """A pattern matches from the first to the last character, which is no line feed."""  # S-403
    registered = _registered(r"https://foo\.example\.test/.*", "regex")
    assert redirects.permitted(registered, sent, "authorization") is permitted


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "https://.*",
        "https?://.+/cb",
        r"https://[^/]+\.example\.test/.*",
        r"https://.*\.example\.test/cb",
        r"https://(foo\.example\.test/|.*)",
        r"https://foo\.example\.test/.*|.*",
        r"https://foo\.example\.test/[](]|.*",
        r"(?s)https://foo\.example\.test/.*",
        r"https://foo\.example\.test/(a+)+",
        r"https://foo\.example\.test/(",
        r"javascript://foo\.example\.test/.*",
        "https:///.*",
        "",
    ],
)
def test_a_pattern_must_pin_scheme_and_host(pattern: str) -> None:
    """A pattern that leaves open where it leads, or could run for ever, is refused when it is saved, and when used."""
    # S-403
    with pytest.raises(BadRedirectUri):
        redirects.check(RedirectUri(pattern, "regex"))
    assert not redirects.permitted(_registered(pattern, "regex"), "https://evil.test/", "authorization")


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://foo\.example\.test/.*",
        r"^https://[a-z0-9-]+\.example\.test/cb$",
        r"https://(?:a|b)\.example\.test(?::[0-9]+)?/cb",
        r"com\.example\.app://cb/.*",
    ],
)
def test_good_patterns_pass_without_a_warning(pattern: str) -> None:
    """What pins its host is accepted."""  # S-403
    assert redirects.check(RedirectUri(pattern, "regex")) == ()


def test_a_bare_dot_warns_and_is_taken_for_a_dot_in_the_host() -> None:
    """An unescaped dot is told about; in the host it cannot match anything but a dot."""  # S-403
    pattern = "https://foo.example.test/a.b"
    assert len(redirects.check(RedirectUri(pattern, "regex"))) == 2
    registered = _registered(pattern, "regex")
    assert redirects.permitted(registered, "https://foo.example.test/a.b", "authorization")
    assert not redirects.permitted(registered, "https://foo/example.test/a.b", "authorization")
    assert not redirects.permitted(registered, "https://fooXexample.test/a.b", "authorization")


def test_nothing_registered_permits_nothing() -> None:
    """The first address seen is never learned."""  # S-404
    assert not redirects.permitted([], "https://rp.example.test/cb", "authorization")


@pytest.mark.parametrize("scheme", ["javascript", "JavaScript", "data", "vbscript", "file", "blob"])
def test_schemes_that_run_code_are_refused_twice(scheme: str) -> None:
    """At save and at use, whatever is registered, also as a pattern."""  # S-405
    url = f"{scheme}://rp.example.test/alert(1)"
    for mode in ("strict", "regex"):
        with pytest.raises(BadRedirectUri):
            redirects.check(RedirectUri(url, mode))
        assert not redirects.permitted(_registered(url, mode), url, "authorization")


def test_purposes_do_not_mix() -> None:
    """A logout address receives no codes, and the other way round."""
    url = "https://rp.example.test/cb"
    assert not redirects.permitted(_registered(url, purpose="logout"), url, "authorization")
    assert not redirects.permitted(_registered(url), url, "logout")
