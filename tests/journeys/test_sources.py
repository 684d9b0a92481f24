"""Logging in with an account elsewhere, in a browser: another Doorward is the provider, and this one its client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import log_in, visitor
from peers.processes import free_port
from peers.program import PASSWORD, Program

pytestmark = pytest.mark.journey
SECRET = "upstream-secret-" + "s" * 48


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The provider, at a host name of its own: browsers keep cookies by host."""
    folder, port = tmp_path_factory.mktemp("upstream"), free_port()
    config = folder / "doorward.yaml"
    config.write_text(
        f'entryPoints: {{identity: {{address: "127.0.0.1:{port}"}}}}\n'
        f'identity: {{externalUrl: "http://127.0.0.1:{port}", data: {folder / "data"}, entryPoint: identity}}\n'
        "workers: 1\n"
    )
    program = Program(folder, config=config, identity_port=port)
    try:
        yield program.start()
        program.stop()
    finally:
        program.end()


@pytest.fixture(scope="module")
def client(upstream: Program, program: Program) -> dict[str, str]:
    """What the provider has registered, and a person there."""
    there = Api(upstream)
    flow = there.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"]
    leave = there.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"]
    scopes = there.get("/propertymappings/provider/scope/")["results"]
    provider = there.post(
        "/providers/oauth2/",
        name="doorward",
        client_secret=SECRET,
        signing_key=there.get("/crypto/certificatekeypairs/")["results"][0]["pk"],
        authorization_flow=flow,
        invalidation_flow=leave,
        property_mappings=[scope["pk"] for scope in scopes if scope["scope_name"] in ("openid", "email", "profile")],
        redirect_uris=[
            {"matching_mode": "strict", "url": f"{program.identity}/source/oauth/callback/company/"},
        ],
    )
    there.post("/core/applications/", name="Doorward", slug="doorward", provider=provider["pk"])
    user = there.post("/core/users/", username="nadia", name="Nadia Far", email="nadia@far.example")
    there.post(f"/core/users/{user['pk']}/set_password/", password=PASSWORD)
    return {
        "id": provider["client_id"],
        "secret": SECRET,
        "url": f"{upstream.plain}/application/o/doorward/.well-known/openid-configuration",
        "nadia": str(user["pk"]),
    }


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


def at_the_provider(page: Page, upstream: Program) -> None:
    """Log in there as nadia."""
    page.wait_for_url(lambda url: url.startswith(upstream.plain))
    page.locator("input[name=uid_field]").fill("nadia")
    page.locator("input[name=uid_field]").press("Enter")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")


def test_an_administrator_sets_the_source_up(browser: Browser, program: Program, client: dict[str, str]) -> None:
    """From the list to the button on the login page: the form, what the provider has to know, the trial, the stage."""
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/admin/sources/")
        log_in(page, "akadmin", PASSWORD)
        page.get_by_role("link", name="New source").click()
        nothing_in_the_way(page)
        page.get_by_role("link", name="OpenID Connect").click()
        page.get_by_label("Name", exact=True).fill("Company")
        page.get_by_label("Slug").fill("company")
        page.get_by_label("Client ID").fill(client["id"])
        page.get_by_role("textbox", name="Client secret").fill("not this one")
        page.get_by_label("Well-known URL").fill(client["url"])
        nothing_in_the_way(page)
        page.get_by_role("button", name="Set up source").click()
        expect(page.get_by_text("The source is set up.")).to_be_visible()
        expect(page.get_by_text(f"{program.identity}/source/oauth/callback/company/")).to_be_visible()

        page.get_by_role("link", name="Try it").click()
        expect(page.get_by_text("It does not know this client ID with this secret")).to_be_visible()
        page.get_by_role("textbox", name="Client secret").fill(client["secret"])
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Try it").click()
        expect(page.get_by_text("It knows the client.")).to_be_visible()
        nothing_in_the_way(page)

        page.goto(f"{program.identity}/if/admin/stages/?kind=identification")
        page.get_by_role("link", name="default-authentication-identification").click()
        page.get_by_label("Company").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved, and in force.")).to_be_visible()
        page.goto(f"{program.identity}/if/admin/sources/")
        page.get_by_role("link", name="Company").click()
        page.get_by_role("link", name="Delete").click()
        expect(page.get_by_text("Nobody logs in through it any more.")).to_be_visible()


def test_a_stranger_is_enrolled_and_comes_back(
    browser: Browser, program: Program, upstream: Program, client: dict[str, str]
) -> None:
    """The first login there makes the account here, also without a script; the second opens it."""
    for scripts in (False, True):
        with visitor(browser, java_script_enabled=scripts) as page:
            page.goto(f"{program.identity}/if/user/account/")
            page.get_by_role("link", name="Company").click()
            at_the_provider(page, upstream)
            page.wait_for_url(f"{program.identity}/if/user/account/")
            expect(page.get_by_text("nadia").first).to_be_visible()
    nadia = Api(program).first("/core/users/", username="nadia")
    assert (nadia["email"], nadia["path"]) == ("nadia@far.example", "goauthentik.io/sources/company")


def test_who_is_deactivated_here_or_there_is_refused(
    browser: Browser, program: Program, upstream: Program, client: dict[str, str]
) -> None:
    """Here with a page that says so; there nobody comes back."""
    here, there = Api(program), Api(upstream)
    nadia = here.first("/core/users/", username="nadia")["pk"]
    here.patch(f"/core/users/{nadia}/", is_active=False)
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/user/account/")
        page.get_by_role("link", name="Company").click()
        at_the_provider(page, upstream)
        expect(page.get_by_text("This account cannot log in.")).to_be_visible()
    here.patch(f"/core/users/{nadia}/", is_active=True)
    there.patch(f"/core/users/{client['nadia']}/", is_active=False)
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/user/account/")
        page.get_by_role("link", name="Company").click()
        at_the_provider(page, upstream)
        expect(page.get_by_role("alert").first).to_be_visible()
        assert page.url.startswith(upstream.plain)
    there.patch(f"/core/users/{client['nadia']}/", is_active=True)


def test_a_user_connects_and_disconnects_an_account(
    browser: Browser, program: Program, upstream: Program, client: dict[str, str]
) -> None:
    """On their own page; connected, the account there opens the one here."""
    here = Api(program)
    here.delete(f"/core/users/{here.first('/core/users/', username='nadia')['pk']}/")
    omar = here.post("/core/users/", username="omar", name="Omar")["pk"]
    here.post(f"/core/users/{omar}/set_password/", password=PASSWORD)
    with visitor(browser) as page:
        page.goto(f"{program.identity}/if/user/sources/")
        log_in(page, "omar", PASSWORD)
        page.get_by_role("button", name="Company").click()
        at_the_provider(page, upstream)
        page.wait_for_url(f"{program.identity}/if/user/sources/")
        expect(page.get_by_role("button", name="Disconnect Company")).to_be_visible()
        nothing_in_the_way(page)
        with visitor(browser) as other:
            other.goto(f"{program.identity}/if/user/account/")
            other.get_by_role("link", name="Company").click()
            at_the_provider(other, upstream)
            other.wait_for_url(f"{program.identity}/if/user/account/")
            expect(other.get_by_text("omar").first).to_be_visible()
        page.get_by_role("button", name="Disconnect Company").click()
        expect(page.get_by_text("Nothing is connected.")).to_be_visible()
    assert here.get("/sources/user_connections/all/")["results"] == []
