"""What the journeys and the tests with real peers share: one running program, one browser, one profile per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from peers.api import Api
from peers.browser import chromium, visitor
from peers.postgresql import Cluster, cluster
from peers.program import Program


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: playwright keeps an event loop of its own running, beside which no asyncio test can start.

    A file that drives a browser stays together, so that what its tests share is set up once.
    """
    drives = {item.path for item in items if "playwright" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in drives and item.get_closest_marker("asyncio") is None)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """``doorward demo``, started once for all tests that change nothing which others rely on."""
    program = Program(tmp_path_factory.mktemp("demo"))
    try:
        yield program.start()
        program.stop()
    finally:
        program.end()


@pytest.fixture
def own_program(tmp_path: Path) -> Iterator[Program]:
    """A fresh ``doorward demo``, not started yet, for a test that restarts, breaks or configures it."""
    program = Program(tmp_path / "program")
    try:
        yield program
    finally:
        program.end()


@pytest.fixture
def api(program: Program) -> Api:
    return Api(program)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(playwright, tmp_path_factory.mktemp("home"), program.ca.parent) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visitor(browser) as page:
        yield page


@pytest.fixture(scope="session")
def slug() -> Callable[[str], str]:
    """Names that no other test has: ``slug("wiki")`` → ``wiki-3``."""
    count = iter(range(1, 1_000_000))
    return lambda stem: f"{stem}-{next(count)}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A server of our own, for all tests that need databases in one."""
    with cluster() as running:
        yield running
