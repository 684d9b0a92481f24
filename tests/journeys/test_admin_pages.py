"""The administrators' pages in a browser: the way of somebody who sets things up, with and without what helps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import log_in, visitor
from peers.processes import eventually
from peers.program import PASSWORD, Program
from peers.questions import ask

pytestmark = pytest.mark.journey

PEOPLES_PASSWORD = "a-password-for-people"


@pytest.fixture
def administrator(page: Page, program: Program) -> Page:
    """A page of a logged-in administrator."""
    page.goto(f"{program.identity}/if/admin/")
    log_in(page, "akadmin", PASSWORD)
    return page


def test_from_nothing_to_a_user_who_finds_the_application(
    administrator: Page, browser: Browser, program: Program, api: Api, slug: Callable[[str], str]
) -> None:
    """A group, a user in it, an application for the group: then that user opens the library, and one who may not."""
    page, team, wiki = administrator, slug("team"), slug("handbook")
    page.get_by_role("link", name="Groups", exact=True).click()
    page.get_by_role("link", name="New group").click()
    page.get_by_label("Name").fill(team)
    page.get_by_role("button", name="Create group").click()
    expect(page.get_by_role("status")).to_contain_text(f"The group “{team}” is created.")
    for username, groups in ((f"in-{team}", [team]), (f"out-{team}", [])):
        page.get_by_role("link", name="Users", exact=True).first.click()
        page.get_by_role("link", name="New user").click()
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").first.fill(PEOPLES_PASSWORD)
        for group in groups:
            page.get_by_label(group, exact=True).check()
        page.get_by_role("button", name="Create user").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(username)

    page.get_by_role("link", name="Protect an application").first.click()
    page.get_by_label("Name").fill(wiki)
    page.get_by_label("Outside URL").fill(f"{wiki}.example.com")
    expect(page.get_by_label(team, exact=True)).to_be_hidden()
    page.get_by_label("Only certain groups or users").check()
    page.get_by_label(team, exact=True).check()
    page.get_by_role("button", name="Protect it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{wiki} is protected")
    eventually(lambda: api.is_protected("https", f"{wiki}.example.com"), within=1, what="it is in force")

    for username, sees in ((f"in-{team}", True), (f"out-{team}", False)):
        with visitor(browser) as theirs:
            theirs.goto(f"{program.identity}/if/user/")
            log_in(theirs, username, PEOPLES_PASSWORD)
            expect(theirs.get_by_role("heading", level=1)).to_have_text("Your applications")
            assert (theirs.get_by_role("link", name=wiki).count() == 1) is sees
            theirs.goto(f"{program.identity}/application/launch/{wiki}/") if not sees else None
            if not sees:
                expect(theirs.locator("body")).to_contain_text(f"You may not open {wiki}")
                theirs.goto(f"{program.identity}/if/admin/")
                expect(theirs.locator("body")).to_contain_text("These pages are for administrators.")


def test_protecting_without_scripts(browser: Browser, program: Program, api: Api, slug: Callable[[str], str]) -> None:
    """JavaScript switched off: a mistake is explained, then it works; the texts to paste are all there."""
    name = slug("plain")
    with visitor(browser, java_script_enabled=False) as page:
        page.goto(f"{program.identity}/if/admin/protect/")
        log_in(page, "akadmin", PASSWORD)
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Protect it").click()
        expect(page.get_by_role("alert").nth(1)).to_have_text("Enter the URL under which people open it.")
        page.get_by_label("Outside URL").fill(f"https://{name}.example.com")
        page.get_by_role("button", name="Protect it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{name} is protected")
        page.locator("summary", has_text="nginx").click()
        expect(page.locator("#nginx-server")).to_be_visible()
        page.get_by_label("Doorward, as your proxy reaches it").fill("http://doorward.internal:9000")
        page.get_by_role("button", name="Fill in").click()
        expect(page.locator("#traefik-file")).to_contain_text("address: http://doorward.internal:9000/outpost")
    assert api.is_protected("https", f"{name}.example.com")


def test_protecting_with_the_keyboard_alone(
    administrator: Page, api: Api, program: Program, slug: Callable[[str], str]
) -> None:
    """From the address bar to a protected application without a mouse."""
    name = slug("keys")
    administrator.goto(f"{program.identity}/if/admin/protect/")
    administrator.keyboard.press("Tab")
    expect(administrator.get_by_text("Skip to the content")).to_be_focused()
    administrator.keyboard.press("Enter")
    administrator.keyboard.press("Tab")
    expect(administrator.get_by_label("Name")).to_be_focused()
    administrator.keyboard.type(name)
    administrator.keyboard.press("Tab")
    administrator.keyboard.type(f"https://{name}.example.com")
    administrator.keyboard.press("Enter")

    expect(administrator.get_by_role("heading", level=1)).to_have_text(f"{name} is protected")
    assert api.is_protected("https", f"{name}.example.com")


def test_the_list_narrows_while_one_types(administrator: Page, program: Program, api: Api) -> None:
    """Without reloading, with the words in the address so that the back button and a bookmark work."""
    api.person("find-me", PEOPLES_PASSWORD)
    administrator.goto(f"{program.identity}/if/admin/users/")
    search = administrator.get_by_role("searchbox")
    search.press_sequentially("find-m")

    expect(administrator.get_by_role("link", name="find-me")).to_be_visible()
    expect(administrator.get_by_role("link", name="akadmin", exact=True)).to_have_count(0)
    expect(search).to_be_focused()
    expect(administrator).to_have_url(re.compile(r"\?q=find-m"))


def test_copying_puts_the_whole_text_on_the_clipboard(administrator: Page, program: Program) -> None:
    """What is pasted is what is shown."""
    administrator.context.grant_permissions(["clipboard-read", "clipboard-write"])
    administrator.goto(f"{program.identity}/if/admin/protect/whoami/")
    administrator.get_by_role("button", name="Copy Traefik: File").click()

    shown = administrator.locator("#traefik-file").text_content()
    assert administrator.evaluate("navigator.clipboard.readText()") == shown


@pytest.fixture(scope="module")
def pages(program: Program) -> list[str]:
    """The pages that are not lists: one of each."""
    api = Api(program)
    user = api.first("/core/users/", username="akadmin")["pk"]
    group = api.first("/core/groups/", name="authentik Admins")["pk"]
    outpost = api.first("/outposts/instances/", managed__iexact="goauthentik.io/outposts/embedded")["pk"]
    application = api.first("/core/applications/", slug="whoami")
    event = api.get("/events/events/", action="model_created", ordering="-created")["results"][0]["pk"]
    refused = ask(program.whoami, ca=program.ca, headers=[("Accept", "text/html")]).one("X-authentik-id")
    return [
        "/if/user/?q=nothing-has-this-name",
        "/if/user/account/",
        "/if/user/password/",
        "/if/user/new/token/",
        "/if/admin/protect/whoami/",
        "/if/admin/applications/whoami/?check=akadmin",
        "/if/admin/applications/whoami/edit/",
        "/if/admin/applications/whoami/delete/",
        f"/if/admin/providers/{application['provider']}/",
        f"/if/admin/providers/{application['provider']}/delete/",
        f"/if/admin/proxy-providers/{application['provider']}/edit/",
        f"/if/admin/outposts/{outpost}/",
        f"/if/admin/users/{user}/",
        f"/if/admin/users/{user}/edit/",
        f"/if/admin/users/{user}/password/",
        f"/if/admin/groups/{group}/",
        f"/if/admin/groups/{group}/edit/",
        "/if/admin/roles/",
        "/if/admin/new/role/",
        "/if/admin/users/import/",
        f"/if/admin/events/{event}/",
        "/if/admin/events/",
        "/if/admin/explain/?application=whoami&user=akadmin",
        f"/if/admin/explain/{refused}/",
        "/if/admin/applications/whoami/headers/?check=akadmin",
        "/if/admin/applications/whoami/examine/",
        "/if/admin/tokens/",
        "/if/admin/flows/",
        "/if/admin/flows/default-authentication-flow/",
        "/if/admin/new/application/",
        "/if/admin/new/oauth2-provider/",
        "/if/admin/new/proxy-provider/",
        "/if/admin/new/user/",
        "/if/admin/new/group/",
        "/if/admin/new/token/",
    ]


@pytest.fixture(scope="module")
def reader(browser: Browser, program: Program) -> Iterator[Page]:
    """One login for all pages that are only looked at."""
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/")
        log_in(page, "akadmin", PASSWORD)
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(reader: Page, program: Program, pages: list[str], scheme: Any) -> None:
    """axe finds nothing at all, and nothing is wider than a phone, in light and in dark."""
    reader.emulate_media(color_scheme=scheme)
    for path in pages:
        reader.set_viewport_size({"width": 1280, "height": 800})
        answer = reader.goto(f"{program.identity}{path}")
        assert answer
        assert answer.status == 200, path
        found = Axe().run(reader).response["violations"]
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == [], path
        reader.set_viewport_size({"width": 320, "height": 640})
        wide, screen = reader.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= screen, path


def test_a_form_with_mistakes_keeps_nobody_out_either(reader: Page, program: Program) -> None:
    """Errors are announced, tied to their fields, and readable."""
    reader.goto(f"{program.identity}/if/admin/protect/")
    reader.get_by_role("button", name="Protect it").click()
    field = reader.get_by_label("Outside URL")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("Enter the URL under which people open it"))

    assert Axe().run(reader).response["violations"] == []
