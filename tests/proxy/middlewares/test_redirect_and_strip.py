"""``redirectScheme`` and ``stripPrefix``."""

from __future__ import annotations

import pytest

from doorward.messages.http import Header
from doorward.messages.routing import RedirectScheme, StripPrefix
from doorward.proxy.middlewares.redirect_scheme import RedirectSchemeMiddleware
from doorward.proxy.middlewares.strip_prefix import StripPrefixMiddleware
from proxy.made import admitted, values


def location(middleware: RedirectScheme, *headers: Header, **request: object) -> tuple[int, bytes] | None:
    answer = RedirectSchemeMiddleware(middleware).enter(admitted(*headers, **request))  # type: ignore[arg-type]
    if answer is None:
        return None
    return answer.status, dict(answer.headers).get(b"Location", b"")


HTTPS = RedirectScheme("r", "https")


@pytest.mark.parametrize(
    ("method", "permanent", "status"),
    [(b"GET", False, 302), (b"GET", True, 301), (b"POST", False, 307), (b"HEAD", False, 307), (b"POST", True, 308)],
)
def test_method_survives_the_redirect(method: bytes, permanent: bool, status: int) -> None:
    """Only GET may become GET; everything else is told to keep its method."""  # S-225
    assert location(RedirectScheme("r", "https", permanent=permanent), method=method, target=b"/x?y=1") == (
        status, b"https://app.example.test/x?y=1"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("port", "host", "target"),
    [
        ("", b"app.example.test:8080", b"https://app.example.test/"),
        ("443", b"app.example.test", b"https://app.example.test/"),
        ("8443", b"app.example.test:80", b"https://app.example.test:8443/"),
        ("", b"[::1]:80", b"https://[::1]/"),
        ("", b"APP.example.test.", b"https://app.example.test/"),
    ],
)
def test_port_of_the_target(port: str, host: bytes, target: bytes) -> None:
    """The configured port, none for the scheme's own; the port of the request is not carried over."""
    assert location(RedirectScheme("r", "https", port), host=(b"Host", host)) == (302, target)


def test_already_there() -> None:
    """A request that has the scheme and port already goes on."""
    assert location(HTTPS, tls=True) is None
    assert location(RedirectScheme("r", "https", "8443"), tls=True, host=(b"Host", b"app.example.test:8443")) is None
    said = (b"X-Forwarded-Proto", b"https")
    assert location(HTTPS, said, trusted=["192.0.2.7"]) is None
    assert location(HTTPS, (b"X-Forwarded-Proto", b"wss"), trusted=["192.0.2.7"]) is None
    assert location(HTTPS, said) == (302, b"https://app.example.test/")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"//evil.test/%2e%2e", b"/"),
        (b"//evil.test/x", b"/evil.test/x"),
        (b"/%5Cevil.test", b"/%5Cevil.test"),
        (b"/a?q=%0d%0aSet-Cookie:%20x=1", b"/a?q=%0d%0aSet-Cookie:%20x=1"),
        (b"/@evil.test", b"/@evil.test"),
    ],
)
def test_nobody_is_led_away(target: bytes, path: bytes) -> None:
    """The target's host is the one that the router matched, whatever the path looks like."""  # S-045, S-225
    assert location(HTTPS, target=target) == (302, b"https://app.example.test" + path)


# --- stripPrefix


def stripped(path: bytes, *prefixes: str) -> tuple[bytes, list[bytes]] | int:
    request = admitted(target=path)
    answer = StripPrefixMiddleware(StripPrefix("s", prefixes)).enter(request)
    if answer is not None:
        return answer.status
    return request.path, values(request, b"x-forwarded-prefix")


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        (b"/api./x", 400),
        (b"/api../x", 400),
        (b"/api../y/../x", 400),
        (b"/apix", (b"/apix", [])),
        (b"/api", (b"/", [b"/api"])),
        (b"/api/", (b"/", [b"/api"])),
        (b"/api/x?y", (b"/x", [b"/api"])),
        (b"/API/x", (b"/API/x", [])),
        (b"/x/api", (b"/x/api", [])),
        (b"/%61pi/x", (b"/x", [b"/api"])),
        (b"/api%2Fx", (b"/api%2Fx", [])),
    ],
)
def test_prefix_ends_with_its_segment(path: bytes, outcome: object) -> None:
    """What is left is a canonical path, or the request is refused."""  # S-214
    assert stripped(path, "/api") == outcome


def test_first_prefix_wins() -> None:
    """Prefixes are tried in their order; one with a closing slash takes what is in it."""
    assert stripped(b"/api/v1/x", "/api/", "/api/v1") == (b"/v1/x", [b"/api/"])
    assert stripped(b"/b/x", "/a", "/b") == (b"/x", [b"/b"])
    assert stripped(b"/a%20b/x", "/a b") == (b"/x", [b"/a b"])


def test_query_and_further_prefixes_stay() -> None:
    """A second stripPrefix adds its own line."""
    request = admitted(target=b"/a/b/c?q")
    StripPrefixMiddleware(StripPrefix("s", ("/a",))).enter(request)
    StripPrefixMiddleware(StripPrefix("s", ("/b",))).enter(request)

    assert (request.path, request.query) == (b"/c", b"q")
    assert values(request, b"x-forwarded-prefix") == [b"/a", b"/b"]


@pytest.mark.parametrize("prefix", ["api", "", "/%zz", "/%00"])
def test_impossible_prefix_is_refused(prefix: str) -> None:
    """A prefix that no path can have breaks its router instead of doing nothing."""
    with pytest.raises(ValueError, match="prefix"):
        StripPrefixMiddleware(StripPrefix("s", (prefix,)))
