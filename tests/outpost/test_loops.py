"""There is no input for which the browser goes round in circles: it is noticed and explained."""

from __future__ import annotations

from html import unescape

import pytest

from outpost.world import NAVIGATION, PREFIX, World, is_page, link_of, location, request_of, set_cookies


async def test_the_sixth_login_in_half_a_minute_is_a_page(world: World) -> None:
    """Five redirects, then the likely causes, and a link that works."""  # S-330
    browser = world.browser()
    for _ in range(5):
        assert request_of(await browser.get("/a"))
        world.clock.advance(1)
    answer = await browser.get("/a")
    assert is_page(answer, 400, "keep being sent back")
    assert "does not keep this site" in unescape(answer.body.decode())
    assert set_cookies(answer) == []
    again = await browser.get(link_of(answer))
    assert location(await browser.get(browser.callback(again))) == "https://app.example.test/a"


async def test_sessions_that_never_count(world: World) -> None:
    """Login succeeds and the session is gone at once: a loop through the identity provider, stopped."""  # S-330
    browser = world.browser()
    for _ in range(5):
        await browser.log_in("/a")
        world.store.sessions.clear()
        world.outpost.sessions_ended((), everything=True)
        world.clock.advance(1.1)
    assert is_page(await browser.get("/a"), 400, "keep being sent back")


async def test_a_success_starts_the_count_anew(world: World) -> None:
    """Logging in again and again is no loop when the application was reached in between."""
    browser = world.browser()
    for _ in range(12):
        await browser.log_in("/a")
        world.clock.advance(1)
        assert (await browser.get("/a")).status == 200
        world.store.sessions.clear()
        world.outpost.sessions_ended((), everything=True)


async def test_half_a_minute_of_peace(world: World) -> None:
    """Somebody who only now and then opens a tab is not in a loop."""
    browser = world.browser()
    for _ in range(20):
        assert request_of(await browser.get("/a"))
        world.clock.advance(10)


async def test_parallel_tabs_are_one_round(world: World) -> None:
    """Ten tabs with the same cookie at the same time are not ten rounds."""
    browser = world.browser()
    await browser.get("/")
    cookie = browser.cookie_header()
    for n in range(10):
        assert request_of(await browser.get(f"/tab{n}", cookie=cookie))


async def test_pictures_and_scripts_do_not_count(world: World) -> None:
    """What is no navigation takes no round and no cookie."""  # S-329
    browser = world.browser()
    for _ in range(10):
        answer = await browser.get("/x.png", headers={"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"})
        assert answer.status == 401
    assert browser.cookies == {}
    assert request_of(await browser.get("/"))


async def test_a_browser_without_cookies_does_not_loop(world: World) -> None:
    """It is told after one round."""
    browser = world.browser()
    browser.keeps_cookies = False
    assert is_page(await browser.log_in("/a"), 400, "did not keep the site")


async def test_nginx_that_keeps_the_cookie_to_itself(world: World) -> None:
    """The auth request comes without the cookie and start comes with it: page, start, page … is stopped."""
    browser = world.browser()
    browser.dialect = "nginx"
    start = f"{PREFIX}/start?rd=https://app.example.test/a"
    await browser.direct(browser.callback(await browser.direct(start)))
    session = dict(browser.cookies)
    statuses = []
    for _ in range(9):
        assert (await browser.get("/a", cookie="other=1")).status == 401
        browser.cookies = session  # this nginx does not hand on the 401's cookie either
        statuses.append((await browser.direct(start)).status)
        session = dict(browser.cookies)
    assert statuses[0] == 302
    assert statuses[-1] == 400


@pytest.mark.parametrize("dialect", ["nginx", "traefik"])
async def test_a_proxy_that_hides_the_cookie_of_pages(world: World, dialect: str) -> None:
    """Every page is refused and begins a new login over the session just made; five are enough."""
    browser = world.browser()
    browser.dialect = dialect
    for rounds in range(6):
        refused = await browser.get("/a", cookie="other=1")
        started = refused if dialect == "traefik" else await browser.direct(f"{PREFIX}/start?rd=/a")
        answer = await browser.direct(browser.callback(started))
        if rounds < 5:
            assert location(answer) == "https://app.example.test/a"
    assert is_page(answer, 400, "keep being sent back")
    assert len(world.store.sessions) == 5


async def test_many_browsers_of_one_person_are_no_loop(world: World) -> None:
    """Logins that are used do not count, however many."""
    for _ in range(12):
        browser = world.browser()
        await browser.log_in()
        assert (await browser.get("/")).status == 200


async def test_the_count_cannot_be_reset_from_another_site(world: World) -> None:
    """The link on the page works for the person, not for a page of somebody else."""
    browser = world.browser()
    for _ in range(5):
        await browser.get("/a")
    other = {**NAVIGATION, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}
    assert (await browser.get(f"{PREFIX}/start?again=1", headers=other)).status == 400
