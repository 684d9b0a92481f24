"""Proxy mode as its user sees it: one form, and the application stands behind Doorward."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from peers.api import Api
from peers.browser import expect_whoami, log_in
from peers.processes import eventually
from peers.program import PASSWORD, Program
from peers.questions import ask

pytestmark = pytest.mark.journey


def test_one_form_puts_doorward_in_front_of_an_application(
    page: Page, program: Program, api: Api, slug: Callable[[str], str]
) -> None:
    """No file is written, no proxy set up: name, outside URL, inside URL, and the browser is let in as who it is."""
    name = slug("inside")
    outside = f"https://{name}.localhost:{program.https_port}"
    routes = (program.data / "routes.yml").read_text()
    inside = re.search(r"url: (http://127.0.0.1:\d+)", routes)
    assert inside
    page.goto(f"{program.identity}/if/admin/protect/")
    log_in(page, "akadmin", PASSWORD)
    expect(page.get_by_label("Inside URL")).to_be_hidden()
    page.get_by_label("Name", exact=False).first.fill(name)
    page.get_by_label("Outside URL").fill(outside)
    page.get_by_label(re.compile("Doorward stands in front of it")).check()
    page.get_by_label("Inside URL").fill(inside[1])
    page.get_by_role("button", name=re.compile("protect", re.IGNORECASE)).click()
    expect(page.locator("body")).to_contain_text("What is left to do")

    def is_served() -> bool:
        with contextlib.suppress(ssl.SSLError):  # the certificate for the new name is on its way
            return ask(outside, ca=program.ca).status == 302
        return False

    eventually(is_served, within=1, what="it is served")

    page.goto(f"{outside}/page?x=1")

    assert expect_whoami(page, "akadmin")["x-authentik-meta-app"] == name
    expect(page.locator("body")).to_contain_text("GET /page?x=1 HTTP/1.1")
    echo = """url => new Promise((resolve, reject) => {
        const socket = new WebSocket(url);
        socket.onopen = () => socket.send("hello");
        socket.onmessage = message => resolve(message.data);
        socket.onerror = reject;
    })"""
    assert page.evaluate(echo, f"{outside.replace('https', 'wss')}/echo") == "hello"
    page.goto(f"{outside}/outpost.goauthentik.io/sign_out")
    expect(page.locator("body")).not_to_contain_text("X-Authentik-Username")
