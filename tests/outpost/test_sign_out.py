"""Signing out: first here, then at the identity provider, and only when the person wants it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from outpost.world import NAVIGATION, PREFIX, World, header, is_page, link_of, location, set_cookies

SIGN_OUT = f"{PREFIX}/sign_out"


async def test_the_session_ends_before_the_answer(world: World) -> None:
    """When the answer is there, the old cookie is dead and taken away with the attributes that it had."""  # S-323
    browser = world.browser()
    await browser.log_in()
    [session] = world.store.sessions.values()
    old = browser.cookie_header()
    answer = await browser.direct(SIGN_OUT)
    query = parse_qs(urlsplit(location(answer)).query)
    assert query == {"id_token_hint": [session.id_token]}
    [cleared] = set_cookies(answer)
    assert cleared.endswith("Max-Age=0; HttpOnly; Secure; SameSite=Lax")
    assert "; Path=/; " in cleared
    assert (await browser.get("/", cookie=old)).status == 302


async def test_returning_afterwards(world: World) -> None:
    """``rd`` becomes the address to return to, if it is the application's own."""
    browser = world.browser()
    for rd, expected in (("/bye", ["https://app.example.test/bye"]), ("https://evil.test/", None)):
        await browser.log_in()
        answer = await browser.direct(f"{SIGN_OUT}?rd={rd}")
        assert parse_qs(urlsplit(location(answer)).query).get("post_logout_redirect_uri") == expected


@pytest.mark.parametrize("dest", ["image", "iframe", "script", "empty"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_picture_does_not_sign_out(world: World, site: str, dest: str) -> None:
    """Neither does anything else that another site embeds."""  # S-324
    browser = world.browser()
    await browser.log_in()
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": "no-cors"}
    assert (await browser.get(SIGN_OUT, headers=headers)).status == 403
    assert (await browser.get("/?X-authentik-logout=true", headers=headers)).status == 200  # S-230: judged as usual
    assert (await browser.get("/")).status == 200


async def test_a_link_signs_out(world: World) -> None:
    """A top-level navigation does, from anywhere, on the endpoint and with the query mark on any path."""
    navigation = {**NAVIGATION, "Sec-Fetch-Site": "cross-site"}
    for target in (SIGN_OUT, "/some/page?X-authentik-logout=true"):
        browser = world.browser()
        await browser.log_in()
        assert "/end-session/" in location(await browser.get(target, headers=navigation))
        assert world.store.sessions == {}


async def test_without_a_session(world: World) -> None:
    """Nobody is logged in just to be logged out; through a proxy the page is never a yes."""  # S-302
    browser = world.browser()
    direct = await browser.direct(SIGN_OUT)
    assert is_page(direct, 200, "You are signed out")
    assert link_of(direct) == "/"
    assert is_page(await browser.get(SIGN_OUT), 401, "You are signed out")


async def test_the_store_is_away(world: World) -> None:
    """Then nobody is told that they are signed out, and the cookie stays for the second try."""
    browser = world.browser()
    await browser.log_in()
    world.store.available = False
    assert is_page(await browser.get(SIGN_OUT), 503, "still signed in")
    world.store.available = True
    assert location(await browser.get(SIGN_OUT))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_only_get_signs_out(world: World, method: str) -> None:
    """Other methods do nothing."""  # S-339
    browser = world.browser()
    await browser.log_in()
    answer = await browser.get(SIGN_OUT, method=method)
    assert (answer.status, header(answer, "Allow")) == (405, "GET")
    assert (await browser.get("/")).status == 200
