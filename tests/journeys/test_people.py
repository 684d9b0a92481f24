"""Roles, impersonation and files of users in a browser, with the keyboard, and for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import log_in, visitor
from peers.program import PASSWORD, Program

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def reader(browser: Browser, program: Program) -> Iterator[Page]:
    """An administrator's browser."""
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/")
        log_in(page, "akadmin", PASSWORD)
        yield page


def nothing_in_the_way(page: Page) -> None:
    """axe finds nothing, in light and in dark, and nothing is wider than a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 1280, "height": 800})
        found = Axe().run(page).response["violations"]
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == []
        page.set_viewport_size({"width": 320, "height": 640})
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= screen
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_role_is_made_with_the_keyboard(reader: Page, program: Program) -> None:
    """Named, and given a permission for one user."""
    reader.goto(f"{program.identity}/if/admin/new/role/")
    reader.get_by_label("Name").focus()
    reader.keyboard.type("Night shift")
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", name="Night shift", level=1)).to_be_visible()

    reader.get_by_label("Permission").select_option("authentik_core.change_user")
    reader.get_by_label("Only for").focus()
    reader.keyboard.type("akadmin")
    reader.keyboard.press("Enter")
    expect(reader.get_by_text("authentik_core.change_user")).to_be_visible()
    nothing_in_the_way(reader)


def test_a_file_is_looked_at_and_then_taken_in(reader: Page, program: Program, tmp_path: Path) -> None:
    """The lines say what would happen; one button does it."""
    file = tmp_path / "people.csv"
    file.write_text("username,name,groups\nnina,Nina,\nbad name\u200b,Bad,\n")
    reader.goto(f"{program.identity}/if/admin/users/import/")
    reader.get_by_label("File").set_input_files(file)
    reader.get_by_role("button", name="Look at it").click()
    expect(reader.get_by_text("Nothing has happened yet.")).to_be_visible()
    nothing_in_the_way(reader)
    reader.get_by_role("button", name="Import").click()

    expect(reader.get_by_text("1 created, 1 refused.")).to_be_visible()
    assert Api(program).first("/core/users/", username="nina")["name"] == "Nina"


def test_acting_shows_on_every_page_and_stops_with_a_key(reader: Page, program: Program) -> None:
    """A line with both names; its button is reached by Tab and brings the administrator back."""
    api = Api(program)
    user = api.post("/core/users/", username="olga", name="Olga")
    reader.goto(f"{program.identity}/if/admin/users/{user['pk']}/")
    reader.get_by_role("link", name="Act as").click()
    reader.get_by_label("Why").fill("She sees no application")
    reader.get_by_role("button", name="Act as olga").click()

    banner = reader.get_by_role("region", name="Acting as somebody else")
    expect(banner).to_contain_text("You act as olga. You are akadmin.")
    reader.goto(f"{program.identity}/if/user/account/")
    expect(banner).to_be_visible()
    nothing_in_the_way(reader)
    reader.keyboard.press("Tab")
    reader.keyboard.press("Tab")
    expect(banner.get_by_role("button", name="Stop")).to_be_focused()
    reader.keyboard.press("Enter")

    expect(reader).to_have_url(f"{program.identity}/if/admin/users/{user['pk']}/")
    expect(banner).to_have_count(0)
