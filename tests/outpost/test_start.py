"""``start``: where a login may end, and that a browser that is logged in goes straight there."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from outpost.world import PREFIX, World, header, is_page, location, provider, request_of, set_cookies

HOME = "https://app.example.test/"


async def end_of_login(world: World, query: str, host: str = "app.example.test") -> str:
    browser = world.browser(host=host)
    started = await browser.direct(f"{PREFIX}/start?{query}")
    return location(await browser.direct(browser.callback(started)))


@pytest.mark.parametrize(
    "rd",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "https://app.example.test.evil.test/",
        "https://app.example.test@evil.test/",
        "https://evil.test\\@app.example.test/",
        "https://app.example.test:8443/",
        "https:app.example.test/x",
        "https:///app.example.test/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "/a\r\nSet-Cookie: x=y",
        "/a\tb",
        " /a",
        "ftp://app.example.test/",
        "a/b",
        "?x",
        "",
        f"{PREFIX}/sign_out",
        f"{PREFIX}/start?rd=/x",
        f"{PREFIX}/callback",
        f"/x/..{PREFIX}/sign_out",
        f"/.{PREFIX}/sign_out",
        "/%6futpost.goauthentik.io/sign_out",
        "/outpost.goauthentik.io%2fsign_out",
        "/?X-authentik-logout=true",
        "/x?a=b&X-authentik-auth-callback=TRUE",
    ],
)
async def test_a_login_does_not_end_elsewhere(world: World, rd: str) -> None:
    """Whatever is not a page of this very application is replaced by its front page."""  # S-307, S-309
    assert await end_of_login(world, f"rd={quote(rd, safe='')}") == HOME


@pytest.mark.parametrize(
    ("rd", "end"),
    [
        ("/x?y", "https://app.example.test/x?y"),
        ("https://app.example.test/x?y=1&z", "https://app.example.test/x?y=1&z"),
        ("https://APP.example.test:443/x", "https://app.example.test/x"),
        ("http://app.example.test/x", "https://app.example.test/x"),
        ("https://app.example.test", "https://app.example.test/"),
        ("https://app.example.test?q=1", "https://app.example.test/?q=1"),
        ("/x#top", "https://app.example.test/x"),
        ("/a%20b", "https://app.example.test/a%20b"),
        ("/ü", "https://app.example.test/%C3%BC"),
    ],
)
async def test_a_login_ends_at_the_wanted_page(world: World, rd: str, end: str) -> None:
    """A page of the application works, written as path or as URL, and always on the configured origin."""  # S-307
    assert await end_of_login(world, f"rd={quote(rd, safe='')}") == end


async def test_what_nginx_cannot_escape(world: World) -> None:
    """``rd=$scheme://$http_host$request_uri`` keeps its whole query and its escapes; escaped ones work as well."""
    raw = "https://app.example.test/a%20b?x=1&y=2&rd=3"
    assert await end_of_login(world, f"rd={raw}") == raw
    escaped = "rd=https://app.example.test%2Fa%3Fx%3D1%26y%3D2"
    assert await end_of_login(world, escaped) == "https://app.example.test/a?x=1&y=2"


async def test_an_application_on_another_port(world: World) -> None:
    """The port belongs to the origin, and proxies that drop it from ``Host`` are understood."""
    world.use(provider(1, "app.example.test:8443"))
    browser = world.browser(host="app.example.test:8443")
    started = await browser.direct(f"{PREFIX}/start?rd=https://app.example.test:8443/a")
    assert request_of(started)["redirect_uri"].startswith("https://app.example.test:8443/outpost")
    callback = browser.callback(started)
    browser.host = "app.example.test"
    assert location(await browser.direct(callback)) == "https://app.example.test:8443/a"


async def test_who_is_logged_in_goes_straight_on(world: World) -> None:
    """No second login."""
    browser = world.browser()
    await browser.log_in()
    answer = await browser.direct(f"{PREFIX}/start?rd=/x")
    assert location(answer) == "https://app.example.test/x"
    assert len(set_cookies(answer)) == 1
    assert (await browser.get("/x")).status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_only_get_starts_a_login(world: World, method: str) -> None:
    """Other methods have no side effect."""  # S-339
    answer = await world.browser().direct(f"{PREFIX}/start", method=method)
    assert (answer.status, header(answer, "Allow"), set_cookies(answer)) == (405, "GET", [])


async def test_contradicting_parameters(world: World) -> None:
    """Two ``rd`` are refused, not chosen from; a thousand parameters and more are too many."""  # S-233
    browser = world.browser()
    assert is_page(await browser.direct(f"{PREFIX}/start?rd=/a&rd=/b"), 400, "rd is given more than once")
    assert is_page(await browser.direct(f"{PREFIX}/start?" + "a&" * 1001), 400, "too many parameters")
