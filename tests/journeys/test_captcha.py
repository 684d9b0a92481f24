"""A captcha in a real browser: the service's script runs on its page, and on no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from journeys.test_everybody import serious, wider_than_the_screen
from peers.api import Api
from peers.browser import visitor
from peers.captcha_service import SECRET, CaptchaService, captcha_service
from peers.processes import eventually
from peers.program import Program

pytestmark = pytest.mark.journey


@pytest.fixture
def service() -> Iterator[CaptchaService]:
    with captcha_service() as running:
        yield running


@pytest.fixture
def door(api: Api, program: Program, service: CaptchaService, slug: Callable[[str], str]) -> str:
    """The address of a login flow that asks for the name, then whether one is a person, then for the password."""
    name = slug("captcha")
    flow = api.post("/flows/instances/", name=name, slug=name, title="With a captcha", designation="authentication")
    captcha = api.post(
        "/stages/captcha/",
        name=name,
        public_key="site",
        private_key=SECRET,
        js_url=f"{service.origin}/api.js",
        api_url=f"{service.origin}/siteverify",
    )
    named = {
        each: api.first("/stages/all/", name=f"default-authentication-{each}")
        for each in ("identification", "password")
    }
    for order, stage in enumerate((named["identification"], captcha, named["password"])):
        api.post("/flows/bindings/", target=flow["pk"], stage=stage["pk"], order=order)
    return f"{program.identity}/if/flow/{name}/"


def test_a_person_gets_past_without_doing_anything(page: Page, door: str, service: CaptchaService) -> None:
    """Name, a moment, password: script, frame and question of the service are allowed, and all of them happened."""
    page.goto(door)
    page.get_by_label("Email or username").fill("somebody")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert {path.partition("?")[0] for path in service.loaded} >= {"/api.js", "/frame", "/token"}
    assert service.asked[0]["secret"] == SECRET
    assert page.evaluate("window.turnstile") is None, "the script has stayed behind on its page"


def test_a_service_that_cannot_be_loaded(page: Page, door: str, service: CaptchaService) -> None:
    """The page says what to do, looks right in a narrow window, and its sentence is an alert."""
    page.route(re.compile(re.escape(service.origin)), lambda route: route.abort())
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(door)
    page.get_by_label("Email or username").fill("somebody")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").get_by_text("could not be done")).to_be_visible()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    assert not wider_than_the_screen(page)
    assert not serious(page)


def test_in_a_narrow_window(page: Page, api: Api, door: str, service: CaptchaService) -> None:
    """What the service shows stays within the page; here it refuses, and so it stays."""
    for stage in api.get("/stages/captcha/")["results"]:
        api.patch(f"/stages/captcha/{stage['pk']}/", public_key="of another site")
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(door)
    page.get_by_label("Email or username").fill("somebody")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").get_by_text("could not be done")).to_be_visible()
    eventually(lambda: "/frame" in service.loaded, within=10, what="the service's frame is asked for")
    assert not wider_than_the_screen(page)


def test_without_scripts(browser: Browser, door: str) -> None:
    """A sentence says what is missing."""
    with visitor(browser, java_script_enabled=False) as page:
        page.goto(door)
        page.get_by_label("Email or username").fill("somebody")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("needs a browser that runs scripts")).to_be_visible()
