"""CORS preflights: a switch that lets them pass, and opens nothing else."""

from __future__ import annotations

import pytest

from outpost.world import World, identity, provider

PREFLIGHT = {
    "Origin": "https://other.example.test",
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "content-type",
    "Sec-Fetch-Mode": "cors",
    "Accept": "*/*",
}


@pytest.fixture
def world() -> World:
    return World(provider(1, "app.example.test", skip_preflight=True))


@pytest.mark.parametrize("dialect", ["traefik", "caddy", "envoy"])
async def test_a_preflight_passes(world: World, dialect: str) -> None:
    """Without a session, without an identity, whatever the path."""  # S-224
    browser = world.browser()
    browser.dialect = dialect
    answer = await browser.get("/api", method="OPTIONS", headers=PREFLIGHT)
    assert (answer.status, answer.headers) == (200, ())
    answer = await browser.get("/api", method="OPTIONS", headers={**PREFLIGHT, "Content-Length": "0"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": ""},
        {"Access-Control-Request-Method": ""},
        {"Access-Control-Request-Method": "PUT, GET"},
        {"Authorization": "Bearer x"},
        {"Authorization": ""},
        {"Content-Length": "1"},
        {"Content-Length": "00"},
        {"Transfer-Encoding": "chunked"},
    ],
)
async def test_what_is_no_preflight(world: World, changes: dict[str, str]) -> None:
    """A request that lacks a part of it, or carries credentials or a body, is judged as usual."""  # S-224
    answer = await world.browser().get("/api", method="OPTIONS", headers={**PREFLIGHT, **changes})
    assert answer.status == 401


@pytest.mark.parametrize("method", ["GET", "options", "POST", "HEAD", "PUT"])
async def test_other_methods(world: World, method: str) -> None:
    """The same fields on another method open nothing."""
    assert (await world.browser().get("/api", method=method, headers=PREFLIGHT)).status == 401


async def test_plain_options(world: World) -> None:
    """OPTIONS alone is no preflight."""  # S-223
    assert (await world.browser().get("/api", method="OPTIONS")).status == 302


async def test_nginx_tells_no_method(world: World) -> None:
    """So there it stays shut."""
    browser = world.browser()
    browser.dialect = "nginx"
    assert (await browser.get("/api", method="OPTIONS", headers=PREFLIGHT)).status == 401


async def test_off_unless_switched_on() -> None:
    """By default a preflight needs a session like everything else; with one it passes as its owner."""
    world = World(provider(1, "app.example.test"))
    browser = world.browser()
    assert (await browser.get("/api", method="OPTIONS", headers=PREFLIGHT)).status == 401
    await browser.log_in()
    assert identity(await browser.get("/api", method="OPTIONS", headers=PREFLIGHT))["X-authentik-username"] == "bob"
