"""Real nginx in front, with ``auth_request`` as people write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from interop.journey import make_the_journey
from peers.api import Api
from peers.browser import chromium, expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front, nginx
from peers.questions import ask

pytestmark = pytest.mark.interop

HOST = "nginx-app.localhost"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with nginx(program, tmp_path_factory.mktemp("nginx"), HOST) as front:
        Api(program).protect("nginx-app", front.url)
        yield front


def test_the_same_journey(browser: Browser, front: Front) -> None:
    """Log in through real nginx, see the headers, sign out, be asked again."""
    make_the_journey(browser, front, "nginx-app")


def test_a_forged_identity_does_not_get_past_nginx(browser: Browser, front: Front) -> None:
    """What the client claims in a copied header is replaced by what the outpost says."""
    with visitor(browser, extra_http_headers={"X-authentik-username": "mallory"}) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)

        expect_whoami(page, "akadmin")


def test_the_unchanged_snippet_works_on_the_standard_port(
    playwright: Playwright, program: Program, tmp_path: Path
) -> None:
    """``Host $host`` as the well-known snippet has it: enough wherever the address shows no port."""
    with nginx(program, tmp_path, "plain-nginx.localhost", shown_port=False) as front:
        Api(program).protect("plain-nginx", front.url)
        ports = {"plain-nginx.localhost:443": front.port}
        with chromium(playwright, tmp_path / "home", program.ca.parent, ports=ports) as browser:
            make_the_journey(browser, front, "plain-nginx")


def test_a_stranger_gets_one_cookie_and_is_sent_to_start(program: Program, front: Front) -> None:
    """nginx can pass on one Set-Cookie only; its redirect goes to the outpost's start page with the wanted URL."""
    answer = ask(f"{front.url}/a?b=c", ca=program.ca, headers=[("Accept", "text/html")])

    assert answer.status == 302
    assert answer.one("Location") == f"/outpost.goauthentik.io/start?rd={front.url}/a?b=c"
    assert len(answer.all("Set-Cookie")) <= 1
