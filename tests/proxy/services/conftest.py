"""The services' tests run on uvloop, as the workers do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
import uvloop

from proxy.services.fleet import Fleet


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture
async def fleet() -> AsyncIterator[Fleet]:
    fleet = Fleet()
    yield fleet
    await fleet.stop()
