"""Who may enter: the form that protects an application, and the page for those who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import IncompleteRead

import pytest
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.processes import eventually
from peers.program import PASSWORD, Program
from peers.questions import ask

pytestmark = pytest.mark.journey


def demonstration(api: Api) -> dict[str, object]:
    """The application of the demo."""
    found: dict[str, object] = api.first("/core/applications/", superuser_full_list="true", slug="whoami")
    return found


def test_one_form_protects_an_application(page: Page, program: Program, api: Api, slug: Callable[[str], str]) -> None:
    """Name, outside URL, who may enter: then the host is protected, and the page shows what to paste where."""
    name = slug("wiki")
    page.goto(f"{program.identity}/if/admin/protect/")
    log_in(page, "akadmin", PASSWORD)
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_label(re.compile("outside|external", re.IGNORECASE)).first.fill(f"https://{name}.example.com")
    page.get_by_role("button", name=re.compile("protect", re.IGNORECASE)).click()

    expect(page.locator("body")).to_contain_text("forwardAuth")
    expect(page.locator("body")).to_contain_text("auth_request")
    expect(page.locator("body")).to_contain_text("forward_auth")
    eventually(lambda: api.is_protected("https", f"{name}.example.com"), within=1, what="the host is protected")
    assert api.first("/core/applications/", slug=name)["provider"]


def test_whoever_is_not_in_the_group_reads_that_they_may_not_enter(
    browser: Browser, program: Program, api: Api, slug: Callable[[str], str]
) -> None:
    """The page says so, and does not start over; whoever is in the group gets in."""
    staff = api.group(slug("staff"))
    api.person("bob-in", "bobs-long-password", staff["pk"])
    api.person("mallory-out", "mallorys-long-password")
    binding = api.bind(demonstration(api), group=staff["pk"])
    try:
        with visitor(browser) as page:
            page.goto(program.whoami)
            log_in(page, "mallory-out", "mallorys-long-password")
            expect(page.locator("body")).to_contain_text(re.compile("may not open"))
            assert "RemoteAddr" not in page.content()
        with visitor(browser) as page:
            page.goto(program.whoami)
            log_in(page, "bob-in", "bobs-long-password")
            assert expect_whoami(page, "bob-in")["x-authentik-groups"] == staff["name"]
    finally:
        api.delete(f"/policies/bindings/{binding['pk']}/")


def test_a_disabled_user_is_out_within_a_second(browser: Browser, program: Program, api: Api) -> None:
    """Switched off by an administrator, the session that worked a moment ago is worth nothing."""
    user = api.person("leaving", "leavings-long-password")
    with visitor(browser) as page:
        page.goto(program.whoami)
        log_in(page, "leaving", "leavings-long-password")
        expect_whoami(page, "leaving")
        cookie = cookies(page, program.whoami)
        assert ask(program.whoami, ca=program.ca, headers=[cookie]).status == 200
        api.patch(f"/core/users/{user['pk']}/", is_active=False)

        def is_out() -> bool:
            try:
                return ask(program.whoami, ca=program.ca, headers=[cookie]).status != 200
            except IncompleteRead:  # cut in the middle of its answer: the next one shows it
                return False

        eventually(is_out, within=1, what="the disabled user is out")


def test_the_library_shows_what_one_may_open(page: Page, program: Program) -> None:
    """After logging in at the identity provider itself, a person finds the application and opens it."""
    page.goto(f"{program.identity}/if/user/")
    log_in(page, "akadmin", PASSWORD)
    page.get_by_role("link", name=re.compile("whoami", re.IGNORECASE)).first.click()

    page.wait_for_url(f"{program.whoami}/**")
    expect_whoami(page, "akadmin")


def test_what_happened_is_an_event(page: Page, program: Program, api: Api) -> None:
    """Failed login, login and authorization are on record with the person's name."""
    page.goto(program.whoami)
    page.locator("input[name=uid_field]").fill("akadmin")
    page.keyboard.press("Enter")
    page.locator("input[name=password]").fill("wrong on purpose")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Invalid password")).to_be_visible()
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{program.whoami}/")

    for action in ("login", "authorize_application", "login_failed"):
        assert api.events(action), action
