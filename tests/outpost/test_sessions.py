"""Sessions in a worker: found once, gone at once."""

from __future__ import annotations

import asyncio

import msgspec

from doorward.messages.sessions import Claims, ProxySession
from doorward.outpost.application import Application
from doorward.outpost.sessions.cache import Known, SessionCache
from outpost.world import MALLORY, World, header, identity, location, provider


async def test_a_restart_logs_nobody_out(world: World) -> None:
    """A new worker finds the session in the store."""  # S-336
    browser = world.browser()
    await browser.log_in()
    world.restart()
    assert (await browser.get("/")).status == 200


async def test_a_lost_store_leads_to_a_clean_login(world: World) -> None:
    """Cookies whose sessions are gone begin a login that works; no 400, no loop."""  # S-336
    browser = world.browser()
    await browser.log_in()
    world.store.sessions.clear()
    world.restart()
    assert (await browser.log_in("/a")).status == 302
    assert (await browser.get("/a")).status == 200


async def test_a_session_that_ended_does_not_pass(world: World) -> None:
    """What the store ends is out of the cache with the push, and stays out."""
    browser = world.browser()
    await browser.log_in()
    assert (await browser.get("/")).status == 200
    [id_hash] = world.store.sessions
    world.store.sessions.clear()
    world.outpost.sessions_ended((id_hash,))
    assert (await browser.get("/")).status == 302


async def test_all_sessions_can_end(world: World) -> None:
    """After a gap in the change log everything is asked for again."""
    browser = world.browser()
    await browser.log_in()
    await browser.get("/")
    world.store.sessions.clear()
    world.outpost.sessions_ended((), everything=True)
    assert (await browser.get("/")).status == 302


async def test_a_session_ends_while_it_is_being_found(world: World) -> None:
    """An answer of the store from before the end is not believed."""  # S-325
    for _ in range(20):
        browser = world.browser()
        await browser.log_in()
        world.restart()
        world.store.gate = asyncio.Event()
        requests = [asyncio.create_task(browser.get("/")) for _ in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        ended = tuple(world.store.sessions)
        world.store.sessions.clear()
        world.outpost.sessions_ended(ended)
        world.store.gate.set()
        assert {answer.status for answer in await asyncio.gather(*requests)} == {302}
        world.store.gate = None


async def test_signing_out_while_it_is_being_found(world: World) -> None:
    """The same when another tab signs out meanwhile."""  # S-325
    browser = world.browser()
    await browser.log_in()
    other = world.browser()
    await other.log_in()
    cookie = browser.cookie_header()
    world.restart()
    await other.get("/")
    gate = world.store.gate = asyncio.Event()
    request = asyncio.create_task(browser.get("/", cookie=cookie))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.store.gate = None  # the one question waits at the gate, others need not
    assert (await other.get("/outpost.goauthentik.io/sign_out")).status == 302
    gate.set()
    assert (await request).status == 302


async def test_many_requests_put_one_question(world: World) -> None:
    """Fifty requests of one browser that the worker does not know yet ask the store once."""  # S-326
    browser = world.browser()
    await browser.log_in()
    world.restart()
    world.store.gate = asyncio.Event()
    before = world.store.finds
    requests = [asyncio.create_task(browser.get("/")) for _ in range(50)]
    await asyncio.sleep(0)
    world.store.gate.set()
    answers = await asyncio.gather(*requests)
    assert {answer.status for answer in answers} == {200}
    assert world.store.finds == before + 1


async def test_one_client_leaving_does_not_fail_the_others(world: World) -> None:
    """The question goes on when the first asker is cancelled."""
    browser = world.browser()
    await browser.log_in()
    world.restart()
    world.store.gate = asyncio.Event()
    first, second = (asyncio.create_task(browser.get("/")) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    world.store.gate.set()
    assert (await second).status == 200


async def test_an_unknown_session_is_asked_for_once_a_second(world: World) -> None:
    """A dead cookie cannot be used to burden the store, and "unknown" is not believed for long."""
    browser = world.browser()
    await browser.log_in()
    dead = browser.cookie_header()
    [session] = world.store.sessions.values()
    world.store.sessions.clear()
    world.restart()
    before = world.store.finds
    for _ in range(20):
        assert (await browser.get("/", cookie=dead)).status == 302
    assert world.store.finds == before + 1
    world.store.sessions[session.id_hash] = session
    world.clock.advance(1.1)
    assert (await browser.get("/", cookie=dead)).status == 200


async def test_two_people_are_never_mixed(world: World) -> None:
    """Interleaved requests each carry their own identity."""  # S-327
    bob, mallory = world.browser(), world.browser(MALLORY)
    await bob.log_in()
    await mallory.log_in()
    world.restart()
    answers = await asyncio.gather(*[(bob, mallory)[n % 2].get("/") for n in range(400)])
    names = [identity(answer)["X-authentik-username"] for answer in answers]
    assert names == ["bob", "mallory"] * 200


async def test_a_changed_provider_changes_the_headers(world: World) -> None:
    """What is prebuilt follows the configuration at once; unchanged applications keep what they have."""
    browser = world.browser()
    await browser.log_in()
    assert identity(await browser.get("/"))["X-authentik-meta-provider"] == "Provider 1"
    world.use(provider(1, "app.example.test", name="Renamed"), provider(2, "app2.example.test"))
    assert identity(await browser.get("/"))["X-authentik-meta-provider"] == "Renamed"


def test_the_cache_is_bounded() -> None:
    """The least recently used session makes room."""
    cache = SessionCache(limit=2)
    application = Application(provider(1, "app.example.test"), "0")
    for name in (b"a", b"b"):
        cache.put(_known(name, application))
    assert cache.get(b"a", 0.0) is not None
    cache.put(_known(b"c", application))
    assert cache.get(b"b", 0.0) is None
    assert cache.get(b"a", 0.0) is not None
    assert cache.get(b"c", 10.0) is None  # expired


def _known(id_hash: bytes, application: Application) -> Known:
    session = ProxySession(id_hash, 1, Claims("sub"), "", "", 0.0, 10.0)
    return Known(session, application, ())


async def test_more_browsers_than_ten_thousand_are_known_at_once(world: World) -> None:
    """Each asks the store once, however many there are."""
    browsers = [world.browser() for _ in range(3)]
    for browser in browsers:
        await browser.log_in()
        await browser.get("/")
    cache = world.outpost._sessions._cache
    session = next(iter(cache._known.values()))
    for number in range(20_000):
        id_hash = number.to_bytes(32, "big")
        cache.put(msgspec.structs.replace(session, session=msgspec.structs.replace(session.session, id_hash=id_hash)))
    asked = world.store.finds

    assert [(await browser.get("/")).status for browser in browsers] == [200, 200, 200]
    assert world.store.finds == asked


async def test_a_session_kept_without_its_tokens_is_whole_where_they_are_wanted(world: World) -> None:
    """The access token reaches the application after the provider changed, the ID token the end of the session."""
    browser = world.browser()
    await browser.log_in()
    before = header(await browser.get("/"), "X-authentik-jwt")
    known = world.configuration.providers[0]
    world.use(msgspec.structs.replace(known, name="Renamed"), world.configuration.providers[1])

    after = await browser.get("/")
    signed_out = await browser.get("/outpost.goauthentik.io/sign_out")

    assert header(after, "X-authentik-meta-provider") == "Renamed"
    assert before
    assert header(after, "X-authentik-jwt") == before
    assert "id_token_hint=eyJ" in location(signed_out)
