"""An outpost on its own that starts while its issuer is away: what it was told before is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from outpost.alone import Alone
from outpost.world import identity, is_page, location

STORES = pytest.mark.parametrize("in_file", [False, True], ids=["cookies", "file"])


@STORES
async def test_known_sessions_go_on_and_new_logins_are_told_to_wait(in_file: bool, tmp_path: Path) -> None:
    """With everything that the application is told, the issuer's keys included; a stranger gets a 503 and no redirect
    to where nobody answers; when the issuer is back, everything is as ever."""  # S-336
    world = await Alone(file=tmp_path / "sessions.sqlite3", in_file=in_file).learned()
    browser = world.browser()
    await browser.log_in()
    before = identity(await browser.get("/"))

    world.restart()
    world.issuer.away = True
    assert not await world.known.learn()
    known, stranger = await browser.get("/"), await world.browser().get("/")

    assert identity(known) == before
    assert before["X-authentik-meta-jwks"].startswith("https://id.example.test/")
    assert is_page(stranger, 503, "The identity provider does not answer")
    world.issuer.away = False
    assert await world.known.learn()
    assert location(await world.browser().get("/")).startswith("https://id.example.test/")


async def test_a_login_under_way_is_completed_after_the_restart(tmp_path: Path) -> None:
    """The callback needs the issuer's endpoints and keys: they are known before it is asked again."""
    world = await Alone(file=tmp_path / "sessions.sqlite3").learned()
    browser = world.browser()
    callback = browser.callback(await browser.get("/wanted"))

    world.restart()

    assert location(await browser.get(callback)) == "https://wiki.example.test/wanted"
    assert (await browser.get("/wanted")).status == 200


async def test_what_was_kept_is_not_believed_for_ever(tmp_path: Path) -> None:
    """Keys that nobody has seen at the issuer for a week are no keys any more."""
    world = await Alone(file=tmp_path / "sessions.sqlite3").learned()

    world.clock.advance(8 * 86_400)
    world.restart()

    assert world.known.published is None


async def test_one_missed_answer_sends_nobody_away() -> None:
    """Looking for a new key of an invented token while the issuer is silent changes nothing for those who log in."""
    world = await Alone().learned()
    world.issuer.away = True
    world.clock.advance(60)
    assert not await world.known.look_for_new_keys()

    assert (await world.browser().get("/")).status == 302
