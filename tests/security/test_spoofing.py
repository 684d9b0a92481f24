"""Nobody becomes somebody by writing it into a request: headers, cookies, hosts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from peers.browser import log_in, visitor
from peers.program import PASSWORD, Program
from peers.questions import Answer, ask

pytestmark = pytest.mark.journey

SPELLINGS = (
    "X-authentik-username",
    "X-Authentik-Username",
    "X-AUTHENTIK-USERNAME",
    "x-authentik-username",
    "X_authentik_username",
    "X-authentik_username",
    "X_Authentik-Username",
    "X_AUTHENTIK_USERNAME",
    "X.authentik.username",
    "X-authentik-entitlements",
    "X-authentik-anything",
)


@pytest.fixture(scope="module")
def session(browser: Browser, program: Program) -> tuple[str, str]:
    """Name and value of the cookie of a browser that has logged in."""
    with visitor(browser) as page:
        page.goto(program.whoami)
        log_in(page, "akadmin", PASSWORD)
        page.wait_for_url(f"{program.whoami}/")
        for cookie in page.context.cookies(program.whoami):
            if cookie["name"].startswith("authentik_proxy_"):
                return cookie["name"], cookie["value"]
    raise AssertionError("no session cookie")


def whoami(program: Program, *headers: tuple[str, str]) -> Answer:
    return ask(f"{program.whoami}/", ca=program.ca, headers=[("Accept", "text/html"), *headers])


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_forged_identity_header_never_reaches_the_application(
    program: Program, session: tuple[str, str], name: str
) -> None:
    """In any case, with underscores or dots for dashes: a logged-in client cannot add to who it is."""
    # S-101, S-102
    answer = whoami(program, ("Cookie", "=".join(session)), (name, "mallory"))

    assert answer.status in {200, 400}
    assert "mallory" not in answer.text
    if answer.status == 200:
        assert answer.text.lower().count("x-authentik-username: akadmin") == 1


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_forged_identity_header_opens_nothing(program: Program, name: str) -> None:
    """Without a session the application is not asked at all."""
    answer = whoami(program, (name, "akadmin"))

    assert answer.status in {302, 400}
    assert "RemoteAddr" not in answer.text


def test_a_header_named_in_connection_does_not_remove_the_identity(program: Program, session: tuple[str, str]) -> None:
    """``Connection: X-authentik-username`` is no way to arrive without a name."""
    answer = whoami(program, ("Cookie", "=".join(session)), ("Connection", "close, X-authentik-username"))

    assert answer.text.lower().count("x-authentik-username: akadmin") == 1


def damaged(value: str) -> list[str]:
    """Malformed, truncated and foreign values: none of them is a session."""
    flipped = value[:-1] + ("A" if value[-1] != "A" else "B")
    return [
        "",
        value[:-1],
        value[: len(value) // 2],
        value + "A",
        flipped,
        value.swapcase(),
        "A" * len(value),
        "x" * 4000,
        "%00",
        "'; DROP TABLE session; --",
        "é",
        '"' + value,
        "../../etc/passwd",
    ]


def test_a_damaged_cookie_is_no_session(program: Program, session: tuple[str, str]) -> None:
    """Each is treated as no session: a login, never the application, never a server error."""
    # S-301, CVE-2026-25748
    name, value = session
    for wrong in damaged(value):
        answer = whoami(program, ("Cookie", f"{name}={wrong}"))
        assert answer.status in {302, 400, 431}, (wrong, answer.status)
        assert "RemoteAddr" not in answer.text, wrong


def test_the_cookie_is_worth_nothing_under_another_name(program: Program, session: tuple[str, str]) -> None:
    """A session of one provider does not open what another protects."""
    _, value = session

    assert whoami(program, ("Cookie", f"authentik_proxy_00000000={value}")).status == 302


def test_two_cookies_of_the_name_are_refused(program: Program, session: tuple[str, str]) -> None:
    """A sibling host can plant a second cookie: neither is believed."""
    # S-313
    name, value = session
    for pair in (f"{name}={value}; {name}=planted", f"{name}=planted; {name}={value}"):
        answer = whoami(program, ("Cookie", pair))
        assert answer.status != 200, pair
        assert "RemoteAddr" not in answer.text


def test_the_cookie_works_where_it_should(program: Program, session: tuple[str, str]) -> None:
    """The control for the tests above: the untouched cookie opens the application."""
    assert whoami(program, ("Cookie", "=".join(session))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-For", "127.0.0.1")],
        [("X-Forwarded-User", "akadmin")],
        [("X-Original-URL", "https://whoami.localhost/")],
        [("X-Forwarded-Uri", "/outpost.goauthentik.io/ping")],
        [("X-Forwarded-Host", "open.example.test")],
        [("Authorization", "Bearer nonsense")],
    ],
)
def test_forwarding_headers_of_a_client_open_nothing(program: Program, headers: list[tuple[str, str]]) -> None:
    """The client is nobody's proxy: what it says about addresses and paths decides nothing."""
    answer = whoami(program, *headers)

    assert answer.status in {302, 401}
    assert "RemoteAddr" not in answer.text


def test_a_host_that_nobody_claims_is_named(program: Program) -> None:
    """The JSON that people search for, on the identity entry point, and the log says which hosts are known."""
    answer = program.ask(
        "/outpost.goauthentik.io/auth/traefik",
        headers=[
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "nobody.example.com"),
            ("X-Forwarded-Uri", "/"),
        ],
    )

    assert answer.status == 400
    assert answer.one("Content-Type") == "application/json"
    assert answer.text == (
        '{\n\t"Message": "no app for hostname",\n\t"Host": "nobody.example.com",\n\t"Detail": "Check the outpost '
        "settings and make sure 'nobody.example.com' is included.\"\n}\n"
    )
    said = program.errors.read_text() + program.output.read_text()
    told = [line for line in said.splitlines() if "no app for hostname" in line]
    assert told, "the log says nothing"  # once a minute, whichever host asked
    assert all("whoami.localhost" in line for line in told)
