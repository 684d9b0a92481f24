"""Everybody can use it: with the keyboard alone, on a phone, in the dark, with a screen reader, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from peers.browser import LOGIN_PAGE, expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program

pytestmark = pytest.mark.journey

PAGES = (
    "/if/user/",
    "/if/user/account/",
    "/if/user/new/token/",
    "/if/admin/",
    "/if/admin/protect/",
    "/if/admin/applications/",
    "/if/admin/providers/",
    "/if/admin/outposts/",
    "/if/admin/users/",
    "/if/admin/groups/",
    "/if/admin/tokens/",
    "/if/admin/flows/",
    "/if/admin/flows/default-authentication-flow/",
    "/if/admin/events/",
    "/if/admin/applications/whoami/",
    "/if/admin/new/application/",
    "/if/admin/new/proxy-provider/",
    "/if/admin/new/user/",
    "/if/admin/new/group/",
    "/if/admin/nothing-here/",
)


@pytest.fixture(scope="module")
def administrator(browser: Browser, program: Program) -> Iterator[Page]:
    """A page of a logged-in administrator."""
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/")
        log_in(page, "akadmin", PASSWORD)
        yield page


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {[node['html'] for node in violation['nodes']][:3]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    ]


def wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_login_with_the_keyboard_alone(page: Page, program: Program) -> None:
    """The first field has the focus; typing and Enter are enough."""
    page.goto(program.whoami)
    expect(page.locator("input[name=uid_field]")).to_be_focused()
    page.keyboard.type("akadmin")
    page.keyboard.press("Enter")
    expect(page.locator("input[name=password]")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{program.whoami}/")

    expect_whoami(page, "akadmin")


def test_login_without_scripts(browser: Browser, program: Program) -> None:
    """JavaScript switched off: the same pages, the same way."""
    with visitor(browser, java_script_enabled=False) as page:
        page.goto(program.whoami)
        log_in(page, "akadmin", PASSWORD)
        page.wait_for_url(f"{program.whoami}/")

        expect_whoami(page, "akadmin")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_pages_keep_nobody_out(browser: Browser, program: Program, scheme: str) -> None:
    """axe finds nothing serious on the two login pages, light and dark, and nothing is wider than a phone."""
    with visitor(browser, color_scheme=scheme, viewport={"width": 320, "height": 640}) as page:
        page.goto(program.whoami)
        assert serious(page) == []
        assert not wider_than_the_screen(page)
        page.locator("input[name=uid_field]").fill("akadmin")
        page.keyboard.press("Enter")
        page.locator("input[name=password]").wait_for()
        assert serious(page) == []
        assert not wider_than_the_screen(page)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(administrator: Page, program: Program, path: str, scheme: Any) -> None:
    """axe finds nothing serious on any page, in light and in dark."""
    administrator.set_viewport_size({"width": 1280, "height": 800})
    administrator.emulate_media(color_scheme=scheme)
    answer = administrator.goto(f"{program.identity}{path}")

    assert answer
    assert answer.status == (404 if "nothing" in path else 200)
    assert serious(administrator) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(administrator: Page, program: Program, path: str) -> None:
    """At 320 pixels nothing has to be scrolled sideways."""
    administrator.set_viewport_size({"width": 320, "height": 640})
    administrator.goto(f"{program.identity}{path}")

    assert not wider_than_the_screen(administrator)


def test_dark_is_dark(browser: Browser, program: Program) -> None:
    """Who prefers dark gets light text on a dark ground."""
    for scheme, dark in (("light", False), ("dark", True)):
        with visitor(browser, color_scheme=scheme) as page:
            page.goto(program.whoami)
            expect(page).to_have_url(LOGIN_PAGE)
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness = page.evaluate(
                """colour => {
                    const pen = new OffscreenCanvas(1, 1).getContext('2d');
                    pen.fillStyle = colour;
                    pen.fillRect(0, 0, 1, 1);
                    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
                    return red + green + blue;
                }""",
                colour,
            )
            assert (brightness < 300) is dark, colour
