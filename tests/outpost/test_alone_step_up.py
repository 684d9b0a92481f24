"""Step-up by path at an outpost on its own: the facts are the foreign issuer's, and travel with the session."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorward.messages.outposts import StepUpRule
from outpost.alone import Alone, Browser, application
from outpost.world import location, set_cookies

RULE = StepUpRule("^/admin", acr=("urn:example:gold",), amr=("mfa",), max_age=900.0)
STORES = pytest.mark.parametrize("in_file", [False, True], ids=["cookies", "file"])


async def guarded(file: Path, *, in_file: bool, **changes: Any) -> Alone:
    world = Alone(file=file, in_file=in_file, provider=application(step_up=(RULE,), **changes))
    world.issuer.token_life = 86_400
    return await world.learned()


def says(world: Alone, **facts: Any) -> None:
    """From now on the issuer says this of logins, with the time that it is."""
    said = {"auth_time": int(world.clock.time), **facts}
    world.issuer.bend = lambda claims: claims.update(said)


async def status(browser: Browser, uri: str) -> int:
    return (await browser.get(uri)).status


@STORES
async def test_the_facts_outlive_a_restart(in_file: bool, tmp_path: Path) -> None:
    """Who has stepped up is asked for nothing until the login is too old, also by a process that began meanwhile."""
    world = await guarded(tmp_path / "sessions.sqlite3", in_file=in_file)
    browser = world.browser()
    says(world, acr="bronze", amr=["pwd"])
    await browser.log_in()
    asked = await browser.get("/admin/x")
    request = parse_qs(urlsplit(location(asked)).query)
    assert (request["acr_values"], request["max_age"]) == (["urn:example:gold"], ["900"])
    assert await status(browser, "/") == 200

    says(world, acr="urn:example:gold")
    back = await browser.get(browser.callback(asked))
    assert location(back) == "https://wiki.example.test/admin/x"
    world.restart()
    await world.learned()
    world.clock.advance(890)
    assert await status(browser, "/admin/x") == 200
    world.clock.advance(11)

    assert (await status(browser, "/admin/x"), await status(browser, "/")) == (302, 200)


@STORES
async def test_the_session_before_is_over(in_file: bool, tmp_path: Path) -> None:
    """Its sealed form, kept by somebody, opens nothing any more."""  # S-312
    world = await guarded(tmp_path / "sessions.sqlite3", in_file=in_file)
    browser = world.browser()
    says(world)
    await browser.log_in()
    former = dict(browser.cookies)
    asked = await browser.get("/admin")
    says(world, amr=["pwd", "mfa"])
    await browser.get(browser.callback(asked))
    assert await status(browser, "/admin") == 200

    browser.cookies = former

    assert await status(browser, "/") == 302


async def test_an_issuer_that_knows_no_factors(tmp_path: Path) -> None:
    """One round, then a page; the session stays good for the rest."""  # S-330
    world = await guarded(tmp_path / "sessions.sqlite3", in_file=False)
    browser = world.browser()
    await browser.log_in()
    answer = await browser.get(browser.callback(await browser.get("/admin")))

    assert answer.status == 403 and b"asks for a stronger login" in answer.body and set_cookies(answer)
    assert b"/if/user/factors/" not in answer.body
    assert await status(browser, "/") == 200


async def test_what_the_userinfo_says_is_no_proof(tmp_path: Path) -> None:
    """Facts about a login stand in its ID token."""
    world = await guarded(tmp_path / "sessions.sqlite3", in_file=False)
    browser = world.browser()
    says(world)
    about = world.issuer._about
    world.issuer._about = lambda person: {**about(person), "acr": "urn:example:gold", "amr": ["mfa"]}  # type: ignore[method-assign]
    await browser.log_in()

    assert await status(browser, "/admin") == 302


async def test_renewed_tokens_change_nothing(tmp_path: Path) -> None:
    """Neither does a refreshed ID token raise what the login was worth, nor make it younger."""
    world = await guarded(tmp_path / "sessions.sqlite3", in_file=True)
    world.issuer.token_life = 600
    browser = world.browser()
    says(world, amr=["pwd"])
    await browser.log_in()
    world.clock.advance(590)
    says(world, acr="urn:example:gold", amr=["mfa"])

    assert await status(browser, "/") == 200
    world.clock.advance(300)
    assert (await status(browser, "/"), await status(browser, "/admin")) == (200, 302)
