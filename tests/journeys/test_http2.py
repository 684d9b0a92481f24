"""The demonstration over HTTP/2, as browsers and curl speak it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from playwright.sync_api import Page, expect

from peers.browser import expect_whoami, log_in
from peers.program import PASSWORD, Program

pytestmark = pytest.mark.journey


def curl(program: Program, *options: str) -> str:
    found = shutil.which("curl")
    assert found, "curl is needed"
    command = [found, "-sS", "--cacert", str(program.ca), "-o", "/dev/null", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def test_chromium_speaks_http2(page: Page, program: Program) -> None:
    """The login, the way back and the application are all HTTP/2 to the browser."""
    page.goto(f"{program.whoami}/")
    protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    assert page.evaluate(protocol) == "h2"
    log_in(page, "akadmin", PASSWORD)

    expect(page).to_have_url(f"{program.whoami}/")
    expect_whoami(page, "akadmin")
    assert page.evaluate(protocol) == "h2"


@pytest.mark.parametrize(("option", "version"), [("--http2", "2"), ("--http1.1", "1.1")])
def test_curl_gets_what_it_asks_for(program: Program, option: str, version: str) -> None:
    """On TLS both versions are there, and lead to the login."""
    said = curl(program, option, "-w", "%{http_version} %{http_code}", f"{program.whoami}/")

    assert said == f"{version} 302"


def test_curl_with_prior_knowledge(program: Program) -> None:
    """On a plain port, HTTP/2 is there for those who know."""
    said = curl(
        program, "--http2-prior-knowledge", "-w", "%{http_version} %{http_code}", f"{program.plain}/-/health/live/"
    )

    assert said == "2 200"
