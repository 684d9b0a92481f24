"""Sessions that are renewed before their access token ends, once, without the browser noticing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
import pytest

from outpost.issuer import Person
from outpost.memory_store import MemoryStore
from outpost.world import MALLORY, PREFIX, Browser, World, identity, is_page, location, provider, set_cookies

HOUR = 3600.0
DAY = 86400.0


def renewable(**changes: Any) -> Any:
    given = {"access_token_validity": HOUR, "refresh_token_validity": 30 * DAY, **changes}
    return provider(1, "app.example.test", **given)


@pytest.fixture
def world() -> World:
    world = World(renewable())
    world.issuer.gives_refresh_tokens = True
    return world


async def logged_in(world: World) -> Browser:
    browser = world.browser()
    answer = await browser.log_in()
    world.issuer.exchanges.clear()
    assert location(answer)
    return browser


async def settle() -> None:
    """Let what runs beside the requests finish."""
    for _ in range(50):
        await asyncio.sleep(0)


async def token(browser: Browser) -> str:
    answer = await browser.get("/")
    assert answer.status == 200
    return identity(answer)["X-authentik-jwt"]


async def test_the_cookie_lives_as_long_as_the_session(world: World) -> None:
    """Thirty days instead of an hour: the browser must still have it when the token has been renewed."""
    answer = await world.browser().log_in()
    [session] = world.store.sessions.values()
    found = re.search(r"Max-Age=(\d+)", set_cookies(answer)[0])
    assert found is not None
    assert int(found[1]) == 30 * DAY == session.expires - world.clock()  # S-316
    assert session.access_expires == world.clock() + HOUR
    assert session.refresh_token.encode() not in b"".join(value for _, value in answer.headers)


async def test_renewed_before_the_end(world: World) -> None:
    """In the last minutes a request gets the old token at once and the next one the new, with no redirect."""
    browser = await logged_in(world)
    old = await token(browser)
    world.clock.advance(HOUR - 301)
    assert await token(browser) == old
    assert world.issuer.exchanges == []
    world.clock.advance(2)
    assert await token(browser) == old
    await settle()
    assert await token(browser) != old
    assert [form["grant_type"] for form in world.issuer.exchanges] == ["refresh_token"]
    world.clock.advance(HOUR / 2)
    assert (await browser.get("/")).status == 200
    assert len(world.issuer.exchanges) == 1


async def test_renewed_after_the_end(world: World) -> None:
    """After a night the first request waits for the new token, and passes."""
    browser = await logged_in(world)
    old = await token(browser)
    world.clock.advance(9 * HOUR)
    assert await token(browser) != old
    assert len(world.issuer.exchanges) == 1


async def test_renewed_by_a_worker_that_never_saw_it(world: World) -> None:
    """Also after a restart."""
    browser = await logged_in(world)
    world.clock.advance(9 * HOUR)
    world.restart()
    assert (await browser.get("/")).status == 200


async def test_a_month_of_renewals(world: World) -> None:
    """Day after day, until the absolute end; then a login is needed."""
    browser = await logged_in(world)
    for _ in range(29):
        world.clock.advance(DAY)
        assert (await browser.get("/")).status == 200
    assert len(world.issuer.exchanges) == 29
    assert len({form["refresh_token"] for form in world.issuer.exchanges}) == 29
    world.clock.advance(DAY)
    assert (await browser.get("/")).status == 302


async def test_fifty_requests_renew_once(world: World) -> None:
    """Before the end and after it, at one worker."""  # S-326
    browser = await logged_in(world)
    await browser.get("/")
    for seconds in (HOUR - 100, 9 * HOUR):
        world.issuer.exchanges.clear()
        world.clock.advance(seconds)
        world.issuer.gate = asyncio.Event()
        requests = [asyncio.create_task(browser.get("/")) for _ in range(50)]
        await settle()
        world.issuer.gate.set()
        assert {answer.status for answer in await asyncio.gather(*requests)} == {200}
        await settle()
        assert len(world.issuer.exchanges) == 1
        world.issuer.gate = None


async def test_two_workers_renew_once(world: World) -> None:
    """The one that did not claim it takes what the other got; nobody presents a used refresh token."""  # S-326
    browser = await logged_in(world)
    other = world.new_outpost()
    other.use(world.configuration)
    world.clock.advance(9 * HOUR)
    world.issuer.gate = asyncio.Event()
    first = asyncio.create_task(browser.get("/"))
    await settle()
    world.outpost, own = other, world.outpost
    second = asyncio.create_task(browser.get("/"))
    await settle()
    world.issuer.gate.set()
    answers = await asyncio.gather(first, second)
    world.outpost = own
    assert [answer.status for answer in answers] == [200, 200]
    assert len({identity(answer)["X-authentik-jwt"] for answer in answers}) == 1
    assert len(world.issuer.exchanges) == 1


async def test_what_the_issuer_says_counts(world: World) -> None:
    """New groups and a new name come with the renewed session; somebody else's name does not."""
    browser = await logged_in(world)
    world.issuer.become(Person(groups=("staff", "boss")))
    world.clock.advance(9 * HOUR)
    assert identity(await browser.get("/"))["X-authentik-groups"] == "staff|boss"
    world.issuer.become(MALLORY)
    world.clock.advance(9 * HOUR)
    assert (await browser.get("/")).status == 302
    assert world.store.sessions == {}


async def test_an_issuer_that_gives_no_id_token(world: World) -> None:
    """OpenID Connect lets it; then what was known of the person stays."""
    browser = await logged_in(world)
    world.issuer.bend_answer = lambda body: body.pop("id_token")
    world.clock.advance(9 * HOUR)
    assert identity(await browser.get("/"))["X-authentik-name"] == "Bob Example"


async def test_an_issuer_that_does_not_rotate(world: World) -> None:
    """It may leave the refresh token as it is."""
    browser = await logged_in(world)
    [before] = world.store.sessions.values()
    world.issuer.rotates = False
    world.clock.advance(9 * HOUR)
    assert (await browser.get("/")).status == 200
    [after] = world.store.sessions.values()
    assert after.refresh_token == before.refresh_token
    assert after.access_token != before.access_token


async def test_the_issuer_refuses(world: World) -> None:
    """While the token is good nothing happens; then the session has ended, and a login begins."""
    browser = await logged_in(world)
    world.issuer.refresh_tokens.clear()
    world.clock.advance(HOUR - 100)
    for _ in range(3):
        assert (await browser.get("/")).status == 200
        await settle()
    assert len(world.issuer.exchanges) == 1
    world.clock.advance(101)
    assert (await browser.get("/a")).status == 302
    assert world.store.sessions == {}


async def test_the_issuer_is_away(world: World) -> None:
    """While the token is good nothing happens; then 503 until it is back. Nobody is logged out."""
    browser = await logged_in(world)
    world.issuer.reachable = False
    world.clock.advance(HOUR - 100)
    assert (await browser.get("/")).status == 200
    await settle()
    assert (await browser.get("/")).status == 200
    world.clock.advance(101)
    assert is_page(await browser.get("/"), 503, "You are not logged out")
    world.issuer.reachable = True
    world.clock.advance(20)
    assert (await browser.get("/")).status == 200


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_session_that_ends_while_it_is_renewed(world: World, when: str) -> None:
    """It has ended, whatever the issuer answers."""  # S-325
    browser = await logged_in(world)
    await browser.get("/")
    world.clock.advance(HOUR - 100 if when == "before" else 9 * HOUR)
    world.issuer.gate = asyncio.Event()
    request = asyncio.create_task(browser.get("/"))
    await settle()
    ended = tuple(world.store.sessions)
    world.store.sessions.clear()
    world.outpost.sessions_ended(ended)
    world.issuer.gate.set()
    assert (await request).status == (200 if when == "before" else 302)  # asked before it ended, or after
    await settle()
    assert world.store.sessions == {}
    assert (await browser.get("/")).status == 302


async def test_signing_out_of_a_renewed_session(world: World) -> None:
    """The newest ID token is the hint."""
    browser = await logged_in(world)
    world.clock.advance(9 * HOUR)
    await browser.get("/")
    [session] = world.store.sessions.values()
    assert session.id_token in location(await browser.get(f"{PREFIX}/sign_out"))


async def test_the_idle_limit(world: World) -> None:
    """Who comes back too long after the token ended has to log in."""
    world.use(renewable(idle_limit=2 * HOUR))
    browser = await logged_in(world)
    world.clock.advance(2.9 * HOUR)
    assert (await browser.get("/")).status == 200
    world.clock.advance(3.1 * HOUR)
    assert (await browser.get("/")).status == 302


@pytest.mark.parametrize("why", ["no token", "no time"])
async def test_sessions_that_are_not_renewed(world: World, why: str) -> None:
    """Without a refresh token, or where the provider gives no time for it, a session ends with its access token."""
    if why == "no token":
        world.issuer.gives_refresh_tokens = False
    else:
        world.use(renewable(refresh_token_validity=0.0))
    browser = await logged_in(world)
    [session] = world.store.sessions.values()
    assert (session.refresh_token, session.expires) == ("", world.clock() + HOUR)
    world.clock.advance(HOUR - 1)
    assert (await browser.get("/")).status == 200
    world.clock.advance(1)
    assert (await browser.get("/")).status == 302
    assert world.issuer.exchanges == []


async def test_the_store_is_away_for_a_moment(world: World) -> None:
    """New tokens that cannot be stored at once are not thrown away."""
    browser = await logged_in(world)
    world.clock.advance(9 * HOUR)
    world.store.failing_renewals = 2
    assert (await browser.get("/")).status == 200
    assert (await browser.get("/")).status == 200
    assert len(world.issuer.exchanges) == 1


async def test_sessions_from_before(world: World) -> None:
    """What was stored without the new fields is a session that is not renewed."""
    browser = await logged_in(world)
    [(key, session)] = world.store.sessions.items()
    old = msgspec.structs.replace(session, refresh_token="", access_expires=0.0, expires=world.clock() + 60)
    store: MemoryStore = world.store
    store.sessions[key] = old
    assert (await browser.get("/")).status == 200
    world.clock.advance(61)
    assert (await browser.get("/")).status == 302


@pytest.mark.parametrize("renewed", [True, False])
async def test_where_uses_are_kept_idleness_counts_from_the_last_one(world: World, renewed: bool) -> None:
    """Whoever comes again and again stays in; whoever stays away is out, renewable or not."""
    world.store.last_seen, world.store.idle = {}, HOUR / 2
    world.issuer.gives_refresh_tokens = renewed
    world.use(renewable(idle_limit=HOUR / 2, access_token_validity=8 * HOUR))
    browser = await logged_in(world)
    for _ in range(5):
        world.clock.advance(0.4 * HOUR)
        assert (await browser.get("/")).status == 200
    world.clock.advance(0.6 * HOUR)
    assert (await browser.get("/")).status == 302


async def test_a_use_at_another_worker_counts(world: World) -> None:
    """The store has heard of it; this worker asks before it shuts somebody out."""
    world.store.last_seen, world.store.idle = {}, HOUR / 2
    world.use(renewable(idle_limit=HOUR / 2, access_token_validity=8 * HOUR))
    browser = await logged_in(world)
    [id_hash] = world.store.sessions
    world.clock.advance(0.4 * HOUR)
    world.store.last_seen[id_hash] = world.clock()
    world.clock.advance(0.4 * HOUR)
    assert (await browser.get("/")).status == 200
    assert [(seen.id_hash, seen.at) for seen in world.outpost.used_since(world.clock() - 1)] == [
        (id_hash, world.clock())
    ]
    assert world.outpost.used_since(world.clock()) == []
