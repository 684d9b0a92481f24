"""Real Traefik in front: somebody changes the address of their middleware, and everything keeps working."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from interop.journey import check_the_redirect, make_the_journey
from peers.api import Api
from peers.browser import expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front, traefik
from peers.questions import ask

pytestmark = pytest.mark.interop

HOST = "traefik-app.localhost"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with traefik(program, tmp_path_factory.mktemp("traefik"), HOST) as front:
        Api(program).protect("traefik-app", front.url)
        yield front


def test_the_same_journey(browser: Browser, front: Front) -> None:
    """Log in through real Traefik, see the headers, sign out, be asked again."""
    make_the_journey(browser, front, "traefik-app")


def test_curl_shows_the_redirect_and_the_cookie(program: Program, front: Front) -> None:
    """The 302 has the parameters and the cookie attributes that people's notes show."""
    answer = ask(f"{front.url}/a?b=c", ca=program.ca, headers=[("User-Agent", "curl/8.5.0"), ("Accept", "*/*")])

    check_the_redirect(answer, program, front)
    assert b"<a href=" in answer.body


def test_a_forged_identity_does_not_get_past_traefik(browser: Browser, front: Front) -> None:
    """What the client claims in a listed header is replaced by what the outpost says."""
    with visitor(browser, extra_http_headers={"X-authentik-username": "mallory"}) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)

        expect_whoami(page, "akadmin")


def test_a_host_that_nobody_claims_is_named_in_the_answer(program: Program, tmp_path: Path) -> None:
    """Behind Traefik too: the JSON that people search for."""
    with traefik(program, tmp_path, "unclaimed.localhost") as front:
        answer = ask(front.url, ca=program.ca)

    assert answer.status == 400
    assert '"Message": "no app for hostname"' in answer.text
    assert "unclaimed.localhost" in answer.text
