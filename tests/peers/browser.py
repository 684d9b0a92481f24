"""A real browser that trusts the local certificate authority, and the few gestures every journey makes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from pytest import fail

from doorward.assembly import local_ca, trust

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
)
LOGIN_PAGE = re.compile(r"^https?://auth\.localhost(:\d+)?/if/flow/default-authentication-flow/")


@contextlib.contextmanager
def chromium(
    playwright: Playwright, home: Path, authority_folder: Path, *, ports: Mapping[str, int] | None = None
) -> Iterator[Browser]:
    """Debian's Chromium, headless, with an NSS database that trusts the authority.

    Args:
        playwright: what drives it.
        home: its home folder, made for it.
        authority_folder: the ``ca`` folder of the program to visit.
        ports: where connections to ``host:port`` (or a bare host) really go on loopback.
    """
    report = trust.install(local_ca.ensure(authority_folder), home=home, system_folder=home)
    if not report.done:
        fail(f"the browser cannot be made to trust the authority: {report}")
    rules = ",".join(f"MAP {host} 127.0.0.1:{port}" for host, port in (ports or {}).items())
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[*ARGUMENTS, *([f"--host-resolver-rules={rules}"] if rules else [])],
        env={**os.environ, "HOME": str(home)},
    )
    try:
        yield browser
    finally:
        browser.close()
        shutil.rmtree(home / ".cache", ignore_errors=True)


@contextlib.contextmanager
def visitor(browser: Browser, **options: object) -> Iterator[Page]:
    """A fresh browser profile with one open page; any uncaught script error fails the test.

    Of somebody who wants no movement: colours that fade are measured as what they are, not as they are on their way.
    """
    context: BrowserContext = browser.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    context.set_default_navigation_timeout(20_000)
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults


def log_in(page: Page, username: str, password: str) -> None:
    """Fill in the login pages, wherever the browser was sent to log in."""
    expect(page).to_have_url(LOGIN_PAGE)
    name = page.locator("input[name=uid_field]")
    name.fill(username)
    name.press("Enter")
    secret = page.locator("input[name=password]")
    secret.fill(password)
    secret.press("Enter")
    page.wait_for_url(lambda url: not LOGIN_PAGE.match(url))


def shown(page: Page) -> str:
    """The text of a plain text page."""
    return page.locator("body").inner_text()


def headers_shown(page: Page) -> dict[str, str]:
    """What whoami says it got: field names in lower case."""
    return {
        name.lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in shown(page).splitlines())
        if colon
    }


def expect_whoami(page: Page, username: str) -> dict[str, str]:
    """The page is whoami's, and it was told who this is. Answers the fields."""
    expect(page.locator("body")).to_contain_text("RemoteAddr:")
    fields = headers_shown(page)
    assert fields.get("x-authentik-username") == username, fields
    return fields


def cookies(page: Page, url: str) -> tuple[str, str]:
    """The ``Cookie`` field that the browser would send to ``url``, for questions beside the browser."""
    return "Cookie", "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies(url))


def sign_out(page: Page, application: str) -> None:
    """Leave an application, and the identity provider where its page offers that."""
    page.goto(f"{application}/outpost.goauthentik.io/sign_out")
    leave = page.get_by_role("link", name=re.compile("log out|sign out", re.IGNORECASE)).or_(
        page.get_by_role("button", name=re.compile("log out|sign out", re.IGNORECASE))
    )
    if leave.count():
        leave.first.click()
        page.wait_for_load_state()
