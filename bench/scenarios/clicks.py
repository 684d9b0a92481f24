"""What a person waits for: from the click on a link until the application's page is painted, in Chromium.

Both moments are the browser's own: when the link was clicked, and when the page that it led to first showed something.
Names and passwords are typed as soon as their fields are there, so what is left is the machine's part of a login.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from chains.chain import HOST, USERNAME, Chain
from figures import Column, Effort, Scenario, Values, Worthless
from house import House
from peers.browser import chromium, log_in, shown, visitor
from peers.program import PASSWORD

CLICKS, LOGINS = 15, 5
_CLICK = """url => {
    document.body.innerHTML = '<a>open</a>';
    document.querySelector('a').href = url;
    const now = performance.timeOrigin + performance.now();
    document.querySelector('a').click();
    return now;
}"""
_PAINTED = """() => new Promise(done => {
    const look = list => { const [first] = list; if (first) done(performance.timeOrigin + first.startTime) };
    new PerformanceObserver(seen => look(seen.getEntriesByName('first-contentful-paint')))
        .observe({type: 'paint', buffered: true});
})"""


def measure_clicks(variant: str, house: House, effort: Effort) -> Values:
    """``CLICKS`` on a link by somebody who is signed in, or ``LOGINS`` whole logins, each in a browser profile that has
    seen the pages' styles before. The program may use every core."""
    chain = house.tenant("doorward", free=True).chain
    with tempfile.TemporaryDirectory() as home, _browser(chain, Path(home)) as browser:
        times = _logins(browser) if variant == "login" else _signed_in(browser)
    return {"p50": statistics.median(times), "most": max(times), "clicks": len(times)}


def _signed_in(browser: Browser) -> list[float]:
    with visitor(browser) as page:
        _login(page)
        return [_opened(page) for _ in range(CLICKS)]


def _logins(browser: Browser) -> list[float]:
    with visitor(browser) as page:
        times = []
        for _ in range(LOGINS + 1):
            page.context.clear_cookies()
            times.append(_login(page))
        return times[1:]  # the first one has brought the styles


def _login(page: Page) -> float:
    clicked = _click(page)
    log_in(page, USERNAME, PASSWORD)
    return _painted(page) - clicked


def _opened(page: Page) -> float:
    clicked = _click(page)
    page.wait_for_url(f"http://{HOST}/seen")
    return _painted(page) - clicked


def _click(page: Page) -> float:
    page.goto("about:blank")
    clicked: float = page.evaluate(_CLICK, f"http://{HOST}/seen")
    return clicked


def _painted(page: Page) -> float:
    if f"X-authentik-username: {USERNAME}" not in shown(page):
        raise Worthless(f"the click ended at {page.url}")
    painted: float = page.evaluate(_PAINTED)
    return painted


@contextlib.contextmanager
def _browser(chain: Chain, home: Path) -> Iterator[Browser]:
    with (
        sync_playwright() as playwright,
        chromium(playwright, home, home / "ca", ports={HOST: chain.ports["web"]}) as it,
    ):
        yield it


SCENARIOS = (
    Scenario(
        "clicks",
        f"From the click to the application's page in Chromium ({CLICKS} clicks, {LOGINS} logins, one person)",
        ("signed in", "login"),
        measure_clicks,
        columns=(Column("p50", "p50 ms", 0), Column("most", "slowest ms", 0)),
        reference="",
    ),
)
