"""There is no redirect loop: a login ends at the page one wanted, or at a page that says what to do.

The combinations are those in which people's browsers went round and round: compatibility mode on and off, http and
https, a port in the address or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, Response

from peers.api import Api
from peers.browser import chromium, expect_whoami, log_in, shown, visitor
from peers.program import PASSWORD, Program
from peers.proxies import traefik

pytestmark = pytest.mark.journey

MAX_REDIRECTS = 12
"""A login takes about half of these."""


class Redirects:
    """Counts what the browser followed."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        if 300 <= response.status < 400 and response.request.is_navigation_request():
            self.urls.append(response.url)


@pytest.fixture(params=[False, True], ids=["compatibility-off", "compatibility-on"])
def compatibility(request: pytest.FixtureRequest, api: Api) -> Iterator[bool]:
    api.patch("/flows/instances/default-authentication-flow/", compatibility_mode=request.param)
    yield request.param
    api.patch("/flows/instances/default-authentication-flow/", compatibility_mode=False)


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
@pytest.mark.parametrize("shown_port", [True, False], ids=["port", "no-port"])
def test_a_login_is_over_after_a_few_redirects(
    playwright: Playwright, program: Program, api: Api, tmp_path: Path, compatibility: bool, tls: bool, shown_port: bool
) -> None:
    """Behind real Traefik: log in once, land, and from then on not a single redirect."""
    name = f"loop-{'c' if compatibility else 'n'}-{'s' if tls else 'p'}-{'w' if shown_port else 'o'}"
    host = f"{name}.localhost"
    with traefik(program, tmp_path, host, tls=tls, shown_port=shown_port) as front:
        api.protect(name, front.url)
        ports = {} if shown_port else {f"{host}:{443 if tls else 80}": front.port}
        with (
            chromium(playwright, tmp_path / "home", program.ca.parent, ports=ports) as browser,
            visitor(browser) as page,
        ):
            redirects = Redirects(page)
            page.goto(f"{front.url}/wanted")
            log_in(page, "akadmin", PASSWORD)
            page.wait_for_url(f"{front.url}/wanted")
            expect_whoami(page, "akadmin")
            assert len(redirects.urls) <= MAX_REDIRECTS, redirects.urls

            redirects.urls.clear()
            page.goto(f"{front.url}/again")
            expect_whoami(page, "akadmin")
            assert redirects.urls == []


@pytest.mark.parametrize("path", ["/", "/outpost.goauthentik.io", "/outpost.goauthentik.io/start"])
def test_a_stale_cookie_of_another_path_does_not_loop(browser: Browser, program: Program, path: str) -> None:
    """Two cookies of one name, as an older version left them, end in a login or an explanation, never in a circle."""
    with visitor(browser) as page:
        page.goto(program.whoami)
        ours = [cookie for cookie in page.context.cookies(program.whoami) if "authentik_proxy" in cookie["name"]]
        assert ours
        page.context.add_cookies(
            [{"name": ours[0]["name"], "value": "stale", "domain": "whoami.localhost", "path": path, "secure": True}]
        )
        redirects = Redirects(page)
        page.goto(f"{program.whoami}/wanted")
        if "/if/flow/" in page.url:
            log_in(page, "akadmin", PASSWORD)

        assert len(redirects.urls) <= MAX_REDIRECTS, redirects.urls
        assert page.url == f"{program.whoami}/wanted" or "cookie" in shown(page).lower()


def test_a_browser_that_keeps_no_cookies_is_told_so(browser: Browser, program: Program) -> None:
    """Going round without ever bringing the cookie back ends at a page that says why."""
    with visitor(browser) as page:
        page.goto(program.whoami)
        log_in(page, "akadmin", PASSWORD)
        page.wait_for_url(f"{program.whoami}/**")
        redirects = Redirects(page)
        for _ in range(MAX_REDIRECTS):
            page.context.clear_cookies(domain="whoami.localhost")
            page.goto(program.whoami)
            if page.url != f"{program.whoami}/":
                break
        # Each round is a complete and successful login of its own here: what must not happen is a circle within one.
        assert len(redirects.urls) <= MAX_REDIRECTS * 6, redirects.urls
