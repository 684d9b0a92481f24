"""Flows in a browser: built with the keyboard alone, tried with the inspector, readable on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import log_in, visitor
from peers.program import PASSWORD, Program

pytestmark = pytest.mark.journey

LINES = """() => ["[data-label=Where]", "th a"].map(cell => {
    const text = document.createRange();
    text.selectNodeContents(document.querySelector(`.list tbody tr:first-child > ${cell}`));
    return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size;
})"""
"""On how many lines application and user of the first session stand."""


@pytest.fixture(scope="module")
def administrator(browser: Browser, program: Program) -> Iterator[Page]:
    """A page of a logged-in administrator."""
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/")
        log_in(page, "akadmin", PASSWORD)
        yield page


@pytest.fixture
def flow(api: Api, slug: Callable[[str], str]) -> Iterator[str]:
    """A flow with two buttons, the second for administrators alone."""
    name = slug("buttons")
    made = api.post("/flows/instances/", name=name, slug=name, title="Two buttons", designation="stage_configuration")
    group = api.first("/core/groups/", name="authentik Admins")["pk"]
    stages = []
    for order in (10, 20):
        stage = api.post("/stages/dummy/", name=f"{name}-{order}")["pk"]
        binding = api.post("/flows/bindings/", target=made["pk"], stage=stage, order=order)
        stages.append(stage)
    api.post("/policies/bindings/", target=binding["policybindingmodel_ptr_id"], group=group, order=0)
    yield name
    api.delete(f"/flows/instances/{name}/")
    for stage in stages:
        api.delete(f"/stages/all/{stage}/")


def enter(page: Page) -> None:
    """The Enter key, where it leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def press_until(page: Page, name: str, key: str = "Tab", most: int = 60) -> None:
    """Walk with the keyboard to the link, button or field of that name."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.matches('a, button, input, select')") and (
            name
            in str(page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()"))
        ):
            return
    pytest.fail(f"the keyboard does not lead to “{name}”")


def test_a_flow_is_built_with_the_keyboard_alone(
    administrator: Page, api: Api, program: Program, slug: Callable[[str], str]
) -> None:
    """Made, given two stages, and their order changed, without a mouse."""
    page, name = administrator, slug("keys")
    page.goto(f"{program.identity}/if/admin/new/flow/")
    press_until(page, "Name")
    page.keyboard.type(name)
    press_until(page, "Title")
    page.keyboard.type("Made by hand")
    press_until(page, "What it is for")
    page.keyboard.type("Setting something up")
    press_until(page, "Create flow")
    enter(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    for stage in ("one", "two"):
        press_until(page, "Add a stage")
        enter(page)
        press_until(page, "Create a stage")
        enter(page)
        press_until(page, "Dummy")
        enter(page)
        press_until(page, "Name")
        page.keyboard.type(f"{name}-{stage}")
        enter(page)
        expect(page.get_by_role("status")).to_contain_text("the last stage now")
    press_until(page, "Down")
    enter(page)

    expect(page.get_by_role("status")).to_contain_text(f"“{name}-one” has moved down.")
    listed = page.locator(".course ol").get_by_role("link", name=f"{name}-")
    expect(listed.first).to_have_text(f"{name}-two")
    api.delete(f"/flows/instances/{name}/")


def test_a_flow_is_tried_and_inspected(administrator: Page, program: Program, flow: str) -> None:
    """As oneself, page by page, with scripts on: the inspector goes along, and at the end tells the story."""
    page = administrator
    page.goto(f"{program.identity}/if/admin/flows/{flow}/")
    page.get_by_role("button", name="Try it").click()
    inspector = page.get_by_role("complementary", name="Inspector")
    expect(inspector.locator("[aria-current=step]")).to_contain_text(f"{flow}-10")
    page.get_by_role("button", name="Continue").click()
    expect(inspector.locator("[aria-current=step]")).to_contain_text(f"{flow}-20")
    expect(inspector).to_contain_text("akadmin is a member of the group “authentik Admins”")
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"What {flow} did")
    expect(page.get_by_text("The flow is through")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})


def test_closing_the_last_way_in_takes_two_buttons(administrator: Page, program: Program, api: Api) -> None:
    """The first shows what would happen; going back changes nothing."""
    page = administrator
    page.goto(f"{program.identity}/if/admin/flows/default-authentication-flow/")
    page.get_by_role("link", name="Take out default-authentication-login").click()
    page.get_by_role("button", name="Take it out").click()
    expect(page.get_by_role("alert")).to_contain_text("no administrator could log in any more")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Back").click()

    expect(page.get_by_role("button", name="Take it out")).to_be_visible()
    stages = [each["stage_obj"]["name"] for each in api.get("/flows/bindings/", ordering="-order")["results"]]
    assert "default-authentication-login" in stages


def test_flow_and_stage_pages_keep_nobody_out(administrator: Page, program: Program, api: Api, flow: str) -> None:
    """axe finds nothing at all, in light and in dark, and nothing is wider than a phone."""
    page = administrator
    places = api.get("/flows/bindings/", ordering="-order")["results"]
    place = next(each["pk"] for each in places if each["stage_obj"]["name"] == f"{flow}-20")
    stage = api.first("/stages/all/", name="default-authentication-mfa-validation")["pk"]
    policy = api.first("/policies/password/", name="default-password-change-password-policy")["pk"]
    for path in (
        f"flows/{flow}/",
        f"flows/{flow}/stages/{place}/",
        f"flows/{flow}/tried/",
        "stages/",
        f"stages/{stage}/",
        "prompts/",
        "new/stage/",
        "policies/",
        f"policies/{policy}/?ask=akadmin",
    ):
        page.set_viewport_size({"width": 1280, "height": 800})
        answer = page.goto(f"{program.identity}/if/admin/{path}")
        assert answer
        assert answer.status == 200, path
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour is on its way to another
            found = Axe().run(page).response["violations"]
            assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == [], path
        page.set_viewport_size({"width": 320, "height": 640})
        wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= screen, path
    page.set_viewport_size({"width": 1280, "height": 800})


def test_short_words_in_tables_are_not_broken(administrator: Page, program: Program) -> None:
    """Whatever the width: columns are as wide as a short word, or the rows are stacked; nothing is cut off."""
    page = administrator
    page.goto(program.whoami)
    page.goto(f"{program.identity}/if/admin/sessions/")
    card = page.locator(".card:has(> table)")
    for width in (1280, 1000, 900, 768, 700, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(LINES) == [1, 1], width
        assert card.evaluate("card => card.scrollWidth <= card.clientWidth"), width
    page.set_viewport_size({"width": 1280, "height": 800})
