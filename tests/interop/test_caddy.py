"""Real Caddy in front, with ``forward_auth`` as people write it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from interop.journey import make_the_journey
from peers.api import Api
from peers.browser import expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front, caddy

pytestmark = pytest.mark.interop

HOST = "caddy-app.localhost"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with caddy(program, tmp_path_factory.mktemp("caddy"), HOST) as front:
        Api(program).protect("caddy-app", front.url)
        yield front


def test_the_same_journey(browser: Browser, front: Front) -> None:
    """Log in through real Caddy, see the headers, sign out, be asked again."""
    make_the_journey(browser, front, "caddy-app")


def test_a_forged_identity_does_not_get_past_caddy(browser: Browser, front: Front) -> None:
    """What the client claims in a copied header is replaced by what the outpost says."""
    with visitor(browser, extra_http_headers={"X-authentik-username": "mallory"}) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)

        expect_whoami(page, "akadmin")
