"""An outpost on its own keeps an eye on its issuer, so that nobody is sent to log in where nobody answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from outpost.alone import Alone
from outpost.world import is_page, location


@pytest.fixture
async def world() -> AsyncIterator[Alone]:
    """Followed in the background."""
    world = Alone()
    following = asyncio.create_task(world.known.follow())
    yield world
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


async def until(world: Alone, *, answers: bool) -> None:
    async with asyncio.timeout(20):
        while world.known.answers is not answers:
            await asyncio.sleep(0.01)


async def test_an_issuer_that_goes_away_is_noticed_when_somebody_does_not_reach_it(world: Alone) -> None:
    """A renewal that fails makes us look; from then on strangers are told to wait, until it answers again."""
    await until(world, answers=True)
    browser = world.browser()
    await browser.log_in()
    world.issuer.away = True
    assert location(await world.browser().get("/")).startswith("https://id.example.test/")  # nobody knows yet

    world.known.doubt()
    await until(world, answers=False)

    assert is_page(await world.browser().get("/"), 503, "does not answer")
    assert (await browser.get("/")).status == 200
    world.issuer.away = False
    await until(world, answers=True)
    assert location(await world.browser().get("/")).startswith("https://id.example.test/")


async def test_doubts_about_one_that_answers_cost_one_look(world: Alone) -> None:
    """A hundred failures at another server are one question here, and change nothing."""
    await until(world, answers=True)
    asked = len(world.issuer.asked)

    for _ in range(100):
        world.known.doubt()
    async with asyncio.timeout(20):
        while len(world.issuer.asked) < asked + 1:
            await asyncio.sleep(0.01)
    for _ in range(5):
        await asyncio.sleep(0.01)

    assert len(world.issuer.asked) <= asked + 2
    assert world.known.answers
