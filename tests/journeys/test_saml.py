"""A SAML identity provider in a browser: set up from its metadata, logged in through, logged out of on both sides.

The provider is on another site, so that what browsers do with cookies and forms from elsewhere is what is tested.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from doorward.identity.sources.saml.messages import Ourselves, metadata
from peers.api import Api
from peers.browser import log_in, visitor
from peers.program import PASSWORD, Program
from peers.saml_provider import SamlProvider, in_form

pytestmark = pytest.mark.journey


class Site:
    """The provider's pages: everybody there is ``who``, once they press the button."""

    def __init__(self, folder: Path, service_provider: Ourselves) -> None:
        self.us = service_provider
        self.who = "erin"
        self.logged_out: list[str] = []
        site = self

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                if path == "/metadata":
                    self.answer(site.provider.metadata(), "application/samlmetadata+xml")
                elif path == "/slo":
                    self.send_response(302)
                    self.send_header("Location", site.log_out(self.path))
                    self.end_headers()
                elif "SAMLRequest" not in query:
                    self.answer(b"Nobody asks.", "text/plain")
                else:
                    self.answer(site.log_in(query["SAMLRequest"][0]).encode(), "text/html")

            def answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        about_us = metadata(self.us, name_id_policy="", signing_der="", encryption_der="", with_logout=True)
        self.provider = SamlProvider(folder, about_us.decode(), self.base)

    def log_in(self, request: str) -> str:
        asked = self.provider.asked(request, "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect")
        said = {"uid": [self.who], "mail": [f"{self.who}@example.test"]}
        answer = self.provider.answer(self.us.acs_url, self.us.entity_id, asked.id, name_id=self.who, attributes=said)
        return (
            f'<form method="post" action="{escape(asked.assertion_consumer_service_url)}">'
            f'<input type="hidden" name="SAMLResponse" value="{in_form(answer)}"><button>It is me</button></form>'
        )

    def log_out(self, path: str) -> str:
        asked = self.provider.logout_asked(f"{self.base}{path}")
        self.logged_out.append(asked.name_id.text)
        return self.provider.logout_answer(asked, self.us.slo_url)


@pytest.fixture
def site(tmp_path: Path, program: Program, slug: Any) -> Iterator[Site]:
    base = f"{program.identity}/source/saml/{slug('company')}"
    site = Site(tmp_path, Ourselves(f"{base}/metadata/", f"{base}/acs/", f"{base}/slo/", f"{base}/metadata/"))
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


def test_there_and_back(browser: Browser, page: Page, program: Program, api: Api, site: Site) -> None:
    """Set up by hand, used by somebody new, who logs out here and there."""
    name = site.us.acs_url.split("/")[-3]
    with visitor(browser) as admin:
        admin.goto(f"{program.identity}/if/admin/new/source/saml/")
        log_in(admin, "akadmin", PASSWORD)
        admin.get_by_label("Name", exact=True).fill("Company")
        admin.get_by_label("Slug").fill(name)
        admin.get_by_label("Address of its metadata").fill(f"{site.base}/metadata")
        assert _problems(admin) == []
        admin.get_by_role("button", name="Set up source").click()
        expect(admin.get_by_role("heading", name="Company", level=1)).to_be_visible()
        expect(admin.get_by_text(site.us.acs_url)).to_be_visible()
        admin.get_by_role("link", name="Try it").click()
        expect(admin.get_by_text("is there.")).to_be_visible()
        assert _problems(admin) == []
        # Connecting begins with a form, and the policy of its page ends at our own addresses.
        site.who = "root"
        admin.goto(f"{program.identity}/if/user/sources/")
        admin.get_by_role("button", name="Company").click()
        admin.get_by_role("button", name="It is me").click()
        expect(admin.get_by_role("button", name="Disconnect Company")).to_be_visible()
        site.who = "erin"
    source = api.get(f"/sources/saml/{name}/")
    ours = api.first("/crypto/certificatekeypairs/", has_key="true", search="Self-signed")
    api.patch(f"/sources/saml/{name}/", signing_kp=ours["pk"])
    stage = api.first("/stages/identification/", name="default-authentication-identification")
    api.patch(f"/stages/identification/{stage['pk']}/", sources=[source["pk"]])
    try:
        _in_and_out(page, program, site)
    finally:
        api.patch(f"/stages/identification/{stage['pk']}/", sources=stage["sources"])
        api.delete(f"/sources/saml/{name}/")


def _in_and_out(page: Page, program: Program, site: Site) -> None:
    page.goto(f"{program.identity}/if/user/account/")
    page.get_by_role("link", name="Company").click()
    page.get_by_role("button", name="It is me").click()
    expect(page).to_have_url(f"{program.identity}/if/user/account/")
    expect(page.get_by_text("erin@example.test").or_(page.locator('[value="erin@example.test"]')).first).to_be_visible()
    page.goto(f"{program.identity}/flows/-/default/invalidation/")
    page.wait_for_url(f"{program.identity}/**")
    assert site.logged_out == ["erin"]
    page.goto(f"{program.identity}/if/user/account/")
    expect(page.get_by_role("link", name="Company")).to_be_visible()


def _problems(page: Page) -> list[str]:
    """What axe finds, in light and in dark; and nothing is wider than a phone."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [violation["id"] for violation in Axe().run(page).response["violations"]]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found if wide <= screen else [*found, "wider than a phone"]
