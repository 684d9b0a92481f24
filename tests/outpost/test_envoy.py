"""Envoy's ``ext_authz``: the browser's request comes under our own path, and our answer goes back as it is."""

from __future__ import annotations

import pytest

from outpost.world import PREFIX, World, header, identity, is_page, location, provider, request_of, set_cookies

AUTH = f"{PREFIX}/auth/envoy"
HOST = {"Host": "app.example.test"}


async def test_a_login_through_envoy(world: World) -> None:
    """From the first page to the same page logged in, callback and sign-out included, with no route of our own."""
    browser = world.browser()
    browser.dialect = "envoy"
    first = await browser.get("/a?b=c")
    assert len(set_cookies(first)) == 1
    assert location(await browser.get(browser.callback(first))) == "https://app.example.test/a?b=c"
    assert identity(await browser.get("/a?b=c"))["X-authentik-username"] == "bob"
    assert "/end-session/" in location(await browser.get(f"{PREFIX}/sign_out"))
    assert (await browser.get("/a")).status == 302


@pytest.mark.parametrize(
    ("under", "end"),
    [
        ("", "https://app.example.test/"),
        ("/", "https://app.example.test/"),
        ("?x=1", "https://app.example.test/?x=1"),
        ("/a%20b?x=1&y=2", "https://app.example.test/a%20b?x=1&y=2"),
    ],
)
async def test_what_stands_behind_our_path(world: World, under: str, end: str) -> None:
    """The rest of the path is the browser's; nothing means the front page, and https when nobody says otherwise."""
    browser = world.browser()
    answer = await world.ask(AUTH + under, HOST)
    browser.keep(answer)
    assert request_of(answer)["redirect_uri"].startswith("https://app.example.test/outpost")
    assert location(await browser.get(browser.callback(answer))) == end


async def test_a_request_without_a_host(world: World) -> None:
    """Without a host there is no question: 400, one event, without the query that may hold a secret."""
    twice = [("Host", "app.example.test"), ("Host", "app2.example.test")]
    for headers in (twice, twice[:0]):
        answer = await world.ask(f"{AUTH}/a?code=secret", headers)
        assert (answer.status, answer.body) == (400, b"invalid envoy request")
        assert set_cookies(answer) == []
    [report] = world.store.reports
    assert "from Envoy" in report.message
    assert "secret" not in report.url


async def test_an_unclear_scheme(world: World) -> None:
    """Two schemes, or one that is none, decide nothing."""
    fields = [*HOST.items(), ("X-Forwarded-Proto", "https"), ("x-forwarded-proto", "http")]
    assert (await world.ask(f"{AUTH}/a", fields)).status == 400
    assert (await world.ask(f"{AUTH}/a", {**HOST, "X-Forwarded-Proto": "ftp"})).status == 400


async def test_what_others_say_is_not_read(world: World) -> None:
    """The fields of other proxies are a client's to send here: neither host nor path comes from them."""  # S-120
    world.use(provider(1, "app.example.test"), provider(2, "open.example.test", skip_path_regex="^/health$"))
    forged = {
        **HOST,
        "X-Forwarded-Host": "open.example.test",
        "X-Forwarded-Uri": "/health",
        "X-Original-URL": "https://open.example.test/health",
    }
    assert request_of(await world.ask(f"{AUTH}/health", forged))["client_id"].startswith("client-1-")


async def test_methods_and_programs(world: World) -> None:
    """The method is the browser's: a POST does not come back to its page, and a program is told, not sent."""
    browser = world.browser()
    browser.dialect = "envoy"
    answer = await browser.get("/form", method="POST")
    assert location(await browser.get(browser.callback(answer))) == "https://app.example.test/"
    assert (await world.browser().get("/", headers={"Accept": "application/json"})).status == 401


@pytest.mark.parametrize("path", ["x", "/../auth/traefik", ".evil"])
async def test_nothing_else_is_envoys(world: World, path: str) -> None:
    """Our path ends at a slash, and what stands behind it names no endpoint of ours for proxies."""  # S-236
    browser = world.browser()
    answer = await world.ask(AUTH + path, HOST)
    assert answer.status == (404 if not path.startswith("/") else 302)
    browser.dialect = "envoy"
    await browser.log_in()
    assert (await browser.get(f"{PREFIX}/auth/envoy/x")).status == 404
    assert header(await browser.get(f"{PREFIX}/whatever"), "X-authentik-username") is None


async def test_a_callback_is_never_a_yes(world: World) -> None:
    """A page of ours that Envoy could take for "may pass" is none."""  # S-302
    browser = world.browser()
    browser.dialect = "envoy"
    assert is_page(await browser.get(f"{PREFIX}/sign_out"), 401, "You are signed out")
