"""Debian's HAProxy in front, with the script and the configuration of our own page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from interop.journey import check_the_redirect, make_the_journey
from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front, haproxy
from peers.questions import ask

pytestmark = pytest.mark.interop

HOST = "haproxy-app.localhost"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with haproxy(program, tmp_path_factory.mktemp("haproxy"), HOST) as front:
        Api(program).protect("haproxy-app", front.url)
        yield front


@pytest.fixture
def session(browser: Browser, front: Front) -> tuple[str, str]:
    with visitor(browser) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)
        return cookies(page, front.url)


def test_the_same_journey(browser: Browser, front: Front) -> None:
    """Log in through real HAProxy, see the headers, sign out, be asked again."""
    make_the_journey(browser, front, "haproxy-app")


def test_curl_shows_the_redirect_and_the_cookie(program: Program, front: Front) -> None:
    """The outpost's answer reaches the client as it is, and a HEAD gets no body."""
    for method in ("GET", "HEAD"):
        answer = ask(f"{front.url}/a?b=c", method=method, ca=program.ca, headers=[("Accept", "*/*")])

        check_the_redirect(answer, program, front)
        assert bool(answer.body) is (method == "GET")


def test_a_forged_identity_does_not_get_past_haproxy(browser: Browser, front: Front) -> None:
    """What the client claims is replaced by what the outpost says."""
    with visitor(browser, extra_http_headers={"X-authentik-username": "mallory"}) as page:
        page.goto(front.url)
        log_in(page, "akadmin", PASSWORD)

        expect_whoami(page, "akadmin")


def test_no_stated_identity_gets_through(program: Program, front: Front, session: tuple[str, str]) -> None:
    """Not even a name that the outpost never says, in whatever spelling."""
    forged = [("X-Authentik-Clearance", "forged"), ("X_authentik_username", "forged"), ("x.authentik-uid", "forged")]
    answer = ask(front.url, ca=program.ca, headers=[session, *forged])

    assert answer.status == 200
    assert "forged" not in answer.text


def test_a_body_goes_to_the_application_only(program: Program, front: Front, session: tuple[str, str]) -> None:
    """A POST that is larger than any buffer passes with its session, and is refused without one."""
    large = b"x" * 300_000

    assert ask(f"{front.url}/", method="POST", ca=program.ca, headers=[session], body=large).status == 200
    assert ask(f"{front.url}/", method="POST", ca=program.ca, body=b"small").status == 302


def test_a_program_is_told_not_sent(program: Program, front: Front) -> None:
    """Who wants JSON gets 401 with a reason."""
    assert ask(f"{front.url}/api", ca=program.ca, headers=[("Accept", "application/json")]).status == 401


def test_without_doorward_nobody_passes(own_program: Program) -> None:
    """An auth server that does not answer is a no."""
    with haproxy(own_program.start(), own_program.folder, "closed-haproxy.localhost") as closed:
        own_program.stop()
        answer = ask(closed.url, ca=own_program.ca)

    assert answer.status == 503
    assert "RemoteAddr" not in answer.text
