"""Sessions that are good for a while, or at one address: the worker asks its keeper again."""

from __future__ import annotations

import msgspec

from outpost.world import World


def narrow(world: World, **good: object) -> None:
    """What the keeper says from now on about its one session."""
    [(id_hash, session)] = world.store.sessions.items()
    world.store.sessions[id_hash] = msgspec.structs.replace(session, **good)


async def test_it_is_asked_again_when_the_time_comes(world: World) -> None:
    """Not before; and what is not good any longer does not pass."""
    browser = world.browser()
    await browser.log_in()
    narrow(world, good_until=world.clock() + 60)
    assert (await browser.get("/")).status == 200
    asked = world.store.finds

    world.clock.advance(50)
    assert (await browser.get("/")).status == 200
    assert world.store.finds == asked
    world.store.sessions.clear()
    world.clock.advance(11)
    assert (await browser.get("/")).status == 302


async def test_a_keeper_that_cannot_be_asked_lets_nobody_in(world: World) -> None:
    """When it is time to ask: the worker does not go on with what it knew."""
    browser = world.browser()
    await browser.log_in()
    narrow(world, good_until=world.clock() + 60)
    assert (await browser.get("/")).status == 200

    world.store.available = False
    assert (await browser.get("/")).status == 200
    world.clock.advance(61)
    assert (await browser.get("/")).status == 503


async def test_at_another_address_it_is_asked_again(world: World) -> None:
    """The answer for one address is no answer for another."""
    browser = world.browser()
    await browser.log_in()
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    here = {"X-Forwarded-For": "192.0.2.7"}
    narrow(world, good_at="192.0.2.7")
    assert (await browser.get("/", headers=here)).status == 200
    asked = world.store.finds
    assert (await browser.get("/", headers=here)).status == 200
    assert world.store.finds == asked

    kept = dict(world.store.sessions)
    world.store.sessions.clear()
    assert (await browser.get("/", headers=elsewhere)).status == 302
    world.store.sessions.update(kept)
