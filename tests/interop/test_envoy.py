"""Real Envoy in front, with ``ext_authz`` as our own page has it, and as Istio's users have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from interop.journey import check_the_redirect, make_the_journey
from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front, envoy
from peers.questions import ask

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module", params=["envoy", "istio"])
def slug(request: pytest.FixtureRequest) -> str:
    return f"{request.param}-app"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory, slug: str) -> Iterator[Front]:
    with envoy(program, tmp_path_factory.mktemp(slug), f"{slug}.localhost", as_istio=slug == "istio-app") as front:
        Api(program).protect(slug, front.url)
        yield front


def test_the_same_journey(browser: Browser, front: Front, slug: str) -> None:
    """Log in through real Envoy, see the headers, sign out, be asked again."""
    make_the_journey(browser, front, slug)


def test_curl_shows_the_redirect_and_the_cookie(program: Program, front: Front) -> None:
    """The outpost's answer reaches the client as it is."""
    answer = ask(f"{front.url}/a?b=c", ca=program.ca, headers=[("User-Agent", "curl/8.5.0"), ("Accept", "*/*")])

    check_the_redirect(answer, program, front)


def test_a_forged_identity_does_not_get_past_envoy(browser: Browser, front: Front) -> None:
    """What the client claims is replaced by what the outpost says."""
    with visitor(browser, extra_http_headers={"X-authentik-username": "mallory"}) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)

        expect_whoami(page, "akadmin")


def test_nobody_climbs_to_another_page_of_ours(program: Program, front: Front) -> None:
    """``..`` leads out of the prefix that Envoy puts before the path: no page of ours that says 200 lets it pass."""
    for path in ("-/health/ready/", "outpost.goauthentik.io/ping", "if/flow/default-authentication-flow/"):
        for up in ("../../../", "%2e%2e/%2e%2e/%2e%2e/", "a/../../../../", ".././../.%2e/../"):
            answer = ask(f"{front.url}/{up}{path}", ca=program.ca, headers=[("Accept", "text/html")])

            assert answer.status in (302, 400, 404), (up, path, answer)
            assert "RemoteAddr" not in answer.text, (up, path)


def test_the_page_lets_no_stated_identity_through(program: Program, browser: Browser, front: Front, slug: str) -> None:
    """With our page's configuration not even a name that the outpost never says, in whatever spelling."""
    with visitor(browser) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)
        session = cookies(page, front.url)
    forged = [("X-Authentik-Clearance", "forged"), ("X_authentik_username", "forged"), ("x-authentik-uid", "forged")]
    answer = ask(front.url, ca=program.ca, headers=[session, *forged])

    assert answer.status == 200
    assert ("forged" in answer.text) is (slug == "istio-app")


def test_a_program_is_told_not_sent(program: Program, front: Front, slug: str) -> None:
    """Where Envoy hands on what tells a program from a page, it gets 401 with a reason."""
    answer = ask(f"{front.url}/api", ca=program.ca, headers=[("Accept", "application/json")])

    assert answer.status == (401 if slug == "envoy-app" else 302)


def test_without_doorward_nobody_passes(own_program: Program) -> None:
    """An auth server that does not answer is a no."""
    with envoy(own_program.start(), own_program.folder, "closed-envoy.localhost") as closed:
        own_program.stop()
        answer = ask(closed.url, ca=own_program.ca)

    assert answer.status == 403
