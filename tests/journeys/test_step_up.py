"""Step-up by path in a real browser: only what is missing is asked for, and the browser comes back to where it was."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP

from peers.api import Api
from peers.browser import LOGIN_PAGE, cookies, expect_whoami, log_in
from peers.processes import eventually
from peers.program import Program
from peers.questions import ask

pytestmark = pytest.mark.journey

PASSWORD = "a good enough password 7"
RULES = [
    {"path": "^/admin(/|$)", "factor": "mfa"},
    {"path": "^/recent", "max_age": "minutes=15"},
]


@dataclass(frozen=True, slots=True)
class Place:
    """An application in proxy mode with rules, and who uses it."""

    url: str
    provider: int
    person: str


@pytest.fixture
def place(program: Program, api: Api, slug: Callable[[str], str]) -> Place:
    name, person = slug("steps"), slug("dora")
    url = f"https://{name}.localhost:{program.https_port}"
    application = api.protect(name, url)
    inside = re.search(r"url: (http://127.0.0.1:\d+)", (program.data / "routes.yml").read_text())
    assert inside
    path = f"/providers/proxy/{application['provider']}/"
    api.patch(path, mode="proxy", internal_host=inside[1], step_up_rules=RULES)
    api.person(person, PASSWORD)

    def is_served() -> bool:
        with contextlib.suppress(ssl.SSLError):  # the certificate for the new name is on its way
            return ask(url, ca=program.ca).status == 302
        return False

    eventually(is_served, within=5, what="it is served")
    return Place(url, application["provider"], person)


def with_a_flow(api: Api, place: Place) -> None:
    """Where its users show a second factor, or set one up."""
    name = f"flow-of-{place.person}"
    flow = api.post(
        "/flows/instances/",
        name=name,
        slug=name,
        title="Is it you?",
        designation="authorization",
        authentication="require_authenticated",
    )
    set_up = api.first("/stages/authenticator/totp/", name="default-authenticator-totp-setup")
    stage = api.post(
        "/stages/authenticator/validate/",
        name=name,
        not_configured_action="configure",
        configuration_stages=[set_up["pk"]],
        device_classes=["totp", "static"],
    )
    api.post("/flows/bindings/", target=flow["pk"], stage=stage["pk"], order=0)
    api.patch(f"/providers/proxy/{place.provider}/", step_up_flow=flow["pk"])


def an_hour_passes(program: Program, person: str) -> None:
    """Since ``person`` logged in, as the identity provider knows it."""
    with contextlib.closing(sqlite3.connect(program.data / "doorward.sqlite3", timeout=10)) as database:
        changed = database.execute(
            "UPDATE logins_loginsession SET authenticated_at = datetime(authenticated_at, '-1 hour')"
            " WHERE user_id = (SELECT id FROM directory_user WHERE username = ?)",
            (person,),
        )
        database.commit()
    assert changed.rowcount == 1


def test_a_page_asks_for_what_is_missing_and_for_nothing_else(
    page: Page, program: Program, api: Api, place: Place
) -> None:
    """The factor is set up on the way; the next visit asks nothing; an old login is asked to log in again."""
    with_a_flow(api, place)
    page.goto(f"{place.url}/")
    log_in(page, place.person, PASSWORD)
    expect_whoami(page, place.person)

    page.goto(f"{place.url}/admin/users?page=2")

    seed = (page.locator("pre code").text_content() or "").replace(" ", "")
    page.get_by_label("Code from the app").fill(TOTP(seed).now())
    page.get_by_label("Code from the app").press("Enter")
    page.wait_for_url(f"{place.url}/admin/users?page=2")
    expect_whoami(page, place.person)
    page.goto(f"{place.url}/")
    assert page.goto(f"{place.url}/admin") and page.url == f"{place.url}/admin"
    expect_whoami(page, place.person)

    assert page.goto(f"{place.url}/recent") and page.url == f"{place.url}/recent"
    an_hour_passes(program, place.person)
    page.context.clear_cookies(domain=urlsplit(place.url).hostname)  # the next session is of the login as it is now
    page.goto(f"{place.url}/")
    expect_whoami(page, place.person)
    page.goto(f"{place.url}/recent")
    expect(page).to_have_url(LOGIN_PAGE)
    page.locator("input[name=uid_field]").fill(place.person)
    page.keyboard.press("Enter")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label(re.compile("code", re.IGNORECASE)).first.fill(TOTP(seed).at(time.time() + 30))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{place.url}/recent")
    expect_whoami(page, place.person)


def test_who_has_no_factor_reads_what_to_do(page: Page, program: Program, place: Place) -> None:
    """Without a flow for it: a page, no circle, and the rest of the application goes on."""
    page.goto(f"{place.url}/")
    log_in(page, place.person, PASSWORD)
    expect_whoami(page, place.person)
    refused = ask(f"{place.url}/admin", ca=program.ca, headers=[cookies(page, place.url), ("Accept", "text/json")])
    assert refused.status == 401 and b"insufficient_user_authentication" in refused.body

    page.goto(f"{place.url}/admin")
    log_in(page, place.person, PASSWORD)

    expect(page.get_by_role("heading", name="This page asks for a second factor")).to_be_visible()
    leads = page.get_by_role("link", name="Set up a factor")
    expect(leads).to_have_attribute("href", f"{program.identity}/if/user/factors/")
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    page.goto(f"{place.url}/")
    expect_whoami(page, place.person)
