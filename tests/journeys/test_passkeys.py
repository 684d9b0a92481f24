"""Passkeys in a real browser, with an authenticator that the browser simulates (CDP)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect
from pyotp import TOTP

from journeys.test_everybody import serious, wider_than_the_screen
from peers.api import Api
from peers.browser import LOGIN_PAGE, log_in, visitor
from peers.program import Program

pytestmark = pytest.mark.journey

PASSWORD = "a good enough password 7"
OPTIONS = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
"""What the simulated authenticator can do."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The platform authenticator of one page's browser."""

    session: CDPSession
    id: str

    def credentials(self) -> list[dict[str, Any]]:
        answer = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        found: list[dict[str, Any]] = answer["credentials"]
        return found

    def verifies(self, verified: bool) -> None:
        """Whether its user passes the finger or PIN check from now on."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified})


@pytest.fixture
def authenticator(page: Page) -> Iterator[Authenticator]:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable", {"enableUI": False})
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
    yield Authenticator(session, answer["authenticatorId"])
    session.detach()


@pytest.fixture
def person(api: Api, slug: Callable[[str], str]) -> str:
    name = slug("carol")
    api.person(name, PASSWORD)
    return name


@pytest.fixture
def set_up(api: Api, program: Program) -> str:
    """Where one sets up a passkey."""
    stage = api.first("/stages/authenticator/webauthn/", name="default-authenticator-webauthn-setup")
    return f"{program.identity}/flows/-/configure/{stage['pk']}/?next=/if/user/"


def without_autofill(page: Page) -> None:
    """A browser that offers passkeys behind a button only."""
    page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false;")


def with_passkey(page: Page, set_up: str, person: str) -> None:
    """Log in with the password, make a passkey, log out."""
    page.goto(set_up)
    log_in(page, person, PASSWORD)
    expect(page.get_by_role("heading", name="Set up a passkey")).to_be_visible()
    page.get_by_label("What you call it").fill("Laptop")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/if/user/")
    page.locator("summary", has_text=person).click()
    page.get_by_role("link", name="Log out").click()
    expect(page.locator("input[name=uid_field]")).to_be_visible()


def test_a_passkey_is_made_and_logs_in(
    page: Page, program: Program, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """One button, no name, no password."""
    without_autofill(page)
    with_passkey(page, set_up, person)
    (credential,) = authenticator.credentials()
    assert (credential["isResidentCredential"], credential["rpId"]) == (True, "auth.localhost")

    page.goto(f"{program.identity}/if/user/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/if/user/")

    expect(page.locator("summary", has_text=person)).to_be_visible()


def test_autofill_needs_no_button(
    page: Page, program: Program, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """A passkey picked among the names that the browser suggests logs in at once (conditional mediation)."""
    without_autofill(page)
    with_passkey(page, set_up, person)
    (credential,) = authenticator.credentials()
    other = page.context.new_page()
    session = other.context.new_cdp_session(other)
    session.send("WebAuthn.enable", {"enableUI": False})
    suggests = session.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]
    session.send("WebAuthn.addCredential", {"authenticatorId": suggests, "credential": credential})

    # The simulated user picks at once, before the page has been loaded to its end.
    other.goto(f"{program.identity}/if/user/account/", wait_until="commit")
    other.wait_for_url("**/if/user/account/")

    expect(other.locator("summary", has_text=person)).to_be_visible()


def test_without_verification_nobody_gets_in(
    page: Page, program: Program, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """A finger that does not fit: the page stays, says what to do, and the password still works."""  # S-515
    without_autofill(page)
    with_passkey(page, set_up, person)
    authenticator.verifies(False)

    page.goto(f"{program.identity}/if/user/account/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_contain_text("Try again")
    assert LOGIN_PAGE.match(page.url)


def test_as_a_second_factor_after_the_password(
    page: Page, program: Program, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """Whoever types name and password is asked for the passkey all the same."""  # S-513
    without_autofill(page)
    with_passkey(page, set_up, person)
    page.goto(f"{program.identity}/if/user/")
    log_in_to_factor(page, person)

    page.get_by_role("button", name="Use a passkey or security key").click()

    page.wait_for_url("**/if/user/")


def test_the_same_authenticator_is_not_set_up_twice(
    page: Page, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """The browser says so, in words that help."""
    page.goto(set_up)
    log_in(page, person, PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/if/user/")
    page.goto(set_up)
    page.get_by_role("button", name="Continue").click()

    expect(page.locator("[data-passkey-problem]")).to_contain_text("set up already")
    assert len(authenticator.credentials()) == 1


def test_nobody_is_kept_out(
    page: Page, program: Program, authenticator: Authenticator, person: str, set_up: str
) -> None:
    """axe finds nothing serious on the page of factors and on every set-up, light and dark; all fit a phone."""
    with_factors = f"{program.identity}/if/user/factors/"
    page.goto(set_up.replace("next=/if/user/", "next=/if/user/factors/"))
    log_in(page, person, PASSWORD)
    for dark in (False, True):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(with_factors)
        addresses = [link.get_attribute("href") for link in page.get_by_role("link", name="Add").all()]
        addresses += [link.get_attribute("href") for link in page.get_by_role("link", name="Make").all()]
        assert len(addresses) == 3
        for address in ("/if/user/factors/", *filter(None, addresses)):
            page.goto(f"{program.identity}{address}")
            page.locator("h1").wait_for()
            for details in page.locator("main details").all():
                details.evaluate("each => each.open = true")
            assert serious(page) == [], address
            assert not wider_than_the_screen(page), address


def test_the_second_factor_without_scripts(
    browser: Browser, api: Api, program: Program, slug: Callable[[str], str]
) -> None:
    """An app is set up and asked for with JavaScript switched off."""  # S-512, S-513
    person = slug("dora")
    api.person(person, PASSWORD)
    stage = api.first("/stages/authenticator/totp/", name="default-authenticator-totp-setup")
    with visitor(browser, java_script_enabled=False) as page:
        page.goto(f"{program.identity}/flows/-/configure/{stage['pk']}/")
        log_in(page, person, PASSWORD)
        page.locator("summary", has_text="cannot be scanned").click()
        seed = page.get_by_role("region", name="The key").inner_text().replace(" ", "")
        page.get_by_label("Code from the app").fill(TOTP(seed).now())
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="How you log in")).to_be_visible()

    with visitor(browser, java_script_enabled=False) as page:
        page.goto(f"{program.identity}/if/user/")
        log_in_to_factor(page, person)
        page.get_by_label("Code from your authenticator app").fill(TOTP(seed).at(int(time.time()) + 30))
        page.get_by_label("Do not ask again").check()
        page.keyboard.press("Enter")
        page.wait_for_url("**/if/user/")


def log_in_to_factor(page: Page, person: str) -> None:
    """Name and password, up to the question for the second factor."""
    page.locator("input[name=uid_field]").fill(person)
    page.keyboard.press("Enter")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
