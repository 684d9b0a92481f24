"""The idle limit of an outpost on its own: a session ends when nobody used it for so long, wherever it is kept."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from outpost.alone import Alone, application
from outpost.world import set_cookies

LIMIT = 600.0
STORES = pytest.mark.parametrize("in_file", [False, True], ids=["cookies", "file"])


async def limited(file: Path | None = None, *, in_file: bool = False) -> Alone:
    """An outpost whose issuer gives tokens for a day, so that nothing but the idle limit ends a session."""
    world = Alone(file=file, in_file=in_file, provider=application(idle_limit=LIMIT))
    world.issuer.token_life = 86_400
    return await world.learned()


@STORES
async def test_a_session_lives_while_it_is_used_and_ends_when_it_is_not(in_file: bool, tmp_path: Path) -> None:
    """Each request counts from anew; the first one after too long a pause is a stranger's, and stays one."""
    world = await limited(tmp_path / "sessions.sqlite3", in_file=in_file)
    browser = world.browser()
    await browser.log_in()

    for _ in range(4):
        world.clock.advance(LIMIT - 10)
        assert (await browser.get("/")).status == 200
    kept = dict(browser.cookies)
    world.clock.advance(LIMIT + 1)
    late = await browser.get("/")
    browser.cookies = kept
    again = await browser.get("/")

    assert (late.status, again.status) == (302, 302)


@STORES
async def test_the_last_use_survives_a_restart(in_file: bool, tmp_path: Path) -> None:
    """What was written down counts: who was there a moment before is known, who was not is a stranger."""
    world = await limited(tmp_path / "sessions.sqlite3", in_file=in_file)
    browser, other = world.browser(), world.browser()
    await browser.log_in()
    await other.log_in()
    unstamped = dict(browser.cookies)
    world.clock.advance(LIMIT - 10)
    await browser.get("/")
    world.uses.keep(world.outpost.used_since(0.0))

    browser.cookies = unstamped
    world.restart()
    await world.learned()
    world.clock.advance(LIMIT - 10)

    assert (await browser.get("/")).status == 200
    assert (await other.get("/")).status == 302


async def test_a_session_in_cookies_says_itself_when_it_was_used() -> None:
    """Another outpost with the same secret, or this one without a file after a restart, goes by the cookie's stamp; a
    copy from before is worth what its own stamp says."""
    world = await limited()
    browser = world.browser()
    await browser.log_in()
    old = dict(browser.cookies)
    world.clock.advance(LIMIT - 10)
    stamped = await browser.get("/")
    soon = await browser.get("/")

    assert set_cookies(stamped)
    assert not set_cookies(soon)
    world.restart()
    await world.learned()
    world.clock.advance(LIMIT - 10)
    assert (await browser.get("/")).status == 200
    world.restart()
    await world.learned()
    browser.cookies = old
    assert (await browser.get("/")).status == 302


async def test_a_remembered_pass_gives_way_to_a_stamp() -> None:
    """A proxy that does not ask again on one connection asks when the browser's session is to be stamped."""
    world = await limited()
    browser = world.browser()
    await browser.log_in()
    passed = await browser.get("/")

    assert world.answering.still_passes(passed, b"/more", None)
    world.clock.advance(61)
    assert not world.answering.still_passes(passed, b"/more", None)
    stamped = await browser.get("/more")
    assert world.answering.still_passes(stamped, b"/more", None)


async def test_an_idle_session_is_not_renewed(tmp_path: Path) -> None:
    """Whoever comes back after the limit is asked to log in, although the issuer would renew the session."""
    world = await limited(tmp_path / "sessions.sqlite3", in_file=True)
    world.issuer.token_life = 300
    browser = world.browser()
    await browser.log_in()
    token = world.issuer.paths()["token_endpoint"]

    for _ in range(4):
        world.clock.advance(LIMIT - 10)
        assert (await browser.get("/")).status == 200
    asked = world.issuer.asked.count(token)
    world.clock.advance(LIMIT + 1)

    assert (await browser.get("/")).status == 302
    assert world.issuer.asked.count(token) == asked


async def test_without_a_limit_nothing_is_stamped_or_written() -> None:
    """Nobody pays for what the configuration does not ask for."""
    world = await limited()
    world.provider = msgspec.structs.replace(world.provider, idle_limit=0.0)
    world.restart()
    await world.learned()
    browser = world.browser()
    await browser.log_in()
    world.clock.advance(5000)

    passed = await browser.get("/")
    world.uses.keep(world.outpost.used_since(0.0))

    assert (passed.status, set_cookies(passed)) == (200, [])
    assert not world.ledger.rows("select 1 from seen")
