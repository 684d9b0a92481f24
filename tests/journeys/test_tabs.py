"""Browsers are not tidy: many tabs, the back button, a long lunch between two pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from peers.browser import LOGIN_PAGE, expect_whoami, log_in
from peers.program import PASSWORD, Program
from peers.questions import ask

pytestmark = pytest.mark.journey


def test_three_tabs_that_all_start_a_login_end_where_each_wanted(page: Page, program: Program) -> None:
    """A session restore opens three pages at once; after one login each is one step from its own page."""
    tabs = [page, page.context.new_page(), page.context.new_page()]
    for number, tab in enumerate(tabs):
        tab.goto(f"{program.whoami}/tab/{number}")
        expect(tab).to_have_url(LOGIN_PAGE)
    log_in(tabs[0], "akadmin", PASSWORD)
    expect(tabs[0]).to_have_url(f"{program.whoami}/tab/0")

    for number, tab in enumerate(tabs[1:], 1):
        tab.reload()
        tab.wait_for_url(f"{program.whoami}/tab/{number}")
        expect_whoami(tab, "akadmin")


def test_the_last_tab_logs_in_first(page: Page, program: Program) -> None:
    """The order in which logins began does not matter."""
    second = page.context.new_page()
    page.goto(f"{program.whoami}/first")
    second.goto(f"{program.whoami}/second")
    log_in(second, "akadmin", PASSWORD)
    expect(second).to_have_url(f"{program.whoami}/second")
    page.reload()

    page.wait_for_url(f"{program.whoami}/first")


def test_the_back_button_after_a_login_leads_on_again(page: Page, program: Program) -> None:
    """Back to the login page of a login that is over: one is sent to the application, not asked or stuck."""
    page.goto(f"{program.whoami}/wanted")
    log_in(page, "akadmin", PASSWORD)
    expect(page).to_have_url(f"{program.whoami}/wanted")
    page.go_back()
    page.wait_for_load_state()
    if LOGIN_PAGE.match(page.url):
        page.reload()

    page.goto(f"{program.whoami}/wanted")
    expect_whoami(page, "akadmin")


def test_a_callback_that_is_opened_twice_says_what_to_do(page: Page, program: Program) -> None:
    """A bookmarked or reloaded callback is used up: the page links to the application instead of failing bare."""
    callbacks: list[str] = []
    page.on(
        "request", lambda request: callbacks.append(request.url) if "X-authentik-auth-callback" in request.url else None
    )
    page.goto(f"{program.whoami}/wanted")
    log_in(page, "akadmin", PASSWORD)
    expect(page).to_have_url(f"{program.whoami}/wanted")
    callback = next(url for url in callbacks if url.startswith(f"{program.whoami}/outpost.goauthentik.io/callback"))

    page.context.clear_cookies(domain="whoami.localhost")
    answer = page.goto(callback)
    assert answer
    assert answer.status < 500
    if page.url == callback:
        expect(page.locator("body")).to_contain_text(re.compile("again", re.IGNORECASE))
        page.get_by_role("link").first.click()
    page.wait_for_url(f"{program.whoami}/**")


def test_a_state_that_expired_says_what_to_do(page: Page, program: Program) -> None:
    """Whoever took too long reads what happened and is one click from the page they wanted."""
    answer = page.goto(
        f"{program.whoami}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true&code=old&state=expired.state.value"
    )

    assert answer
    assert 400 <= answer.status < 500
    expect(page.locator("body")).to_contain_text(re.compile("again", re.IGNORECASE))
    page.get_by_role("link").first.click()
    expect(page).to_have_url(LOGIN_PAGE)


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Accept", "*/*")],
        [("X-Requested-With", "XMLHttpRequest")],
        [("Accept", "application/json")],
    ],
)
def test_a_background_request_of_a_stranger_is_not_redirected(program: Program, headers: list[tuple[str, str]]) -> None:
    """A script gets 401, which it can understand, and no login page to swallow."""
    answer = ask(f"{program.whoami}/data.json", ca=program.ca, headers=headers)

    assert answer.status == 401
    assert answer.all("Location") == []
