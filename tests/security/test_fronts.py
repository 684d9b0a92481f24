"""Other people's proxies in front: what a client writes into a request does not get past them and us together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peers.api import Api
from peers.processes import eventually
from peers.program import PASSWORD, Program
from peers.proxies import IDENTITY_HEADERS, Front, caddy, envoy, haproxy, nginx, traefik
from peers.questions import Answer, ask
from security.visitor import Visitor

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]

STEPS = [{"path": "^/admin(/|$)", "factor": "mfa"}]
FRONTS: dict[str, Callable[[Program, Path, str], contextlib.AbstractContextManager[Front]]] = {
    "traefik": traefik,
    "nginx": nginx,
    "caddy": caddy,
    "envoy": envoy,
    "haproxy": haproxy,
}


@pytest.fixture(scope="module", params=FRONTS)
def front(
    request: pytest.FixtureRequest, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """A proxy as people configure it, with the demonstration application behind it, protected."""
    name = f"{request.param}-front"
    with FRONTS[request.param](program, tmp_path_factory.mktemp(name), f"{name}.localhost") as front:
        api = Api(program)
        api.protect(name, front.url)
        provider = api.first("/providers/proxy/", name__iexact=name)
        api.patch(f"/providers/proxy/{provider['pk']}/", skip_path_regex="^/health$", step_up_rules=STEPS)
        eventually(lambda: asked(program, front, "/health").status == 200, within=5, what="the rules are in force")
        yield front


@pytest.fixture(scope="module")
def cookie(front: Front, program: Program) -> tuple[str, str]:
    """The session of somebody who logged in through it."""
    visitor = Visitor(program.ca)
    _, page = visitor.log_in(f"{front.url}/wanted", "akadmin", PASSWORD)
    assert "X-Authentik-Username: akadmin" in page.text.replace("X-authentik-username", "X-Authentik-Username")
    host = front.url.partition("://")[2].partition(":")[0]
    return "Cookie", "=".join(visitor.cookie(host, "authentik_proxy_"))


def asked(program: Program, front: Front, path: str, *headers: tuple[str, str]) -> Answer:
    return ask(f"{front.url}{path}", ca=program.ca, headers=[("Accept", "text/html"), *headers])


def test_an_identity_that_a_client_states_does_not_arrive(
    program: Program, front: Front, cookie: tuple[str, str]
) -> None:
    """Every name that the proxy was told of, in three spellings of case: with a session and without one."""
    # S-108
    for name in IDENTITY_HEADERS:
        for spelling in (name, name.lower(), name.upper()):
            answer = asked(program, front, "/", cookie, (spelling, "forged"))
            assert answer.status == 200, (spelling, answer.status)
            assert "forged" not in answer.text, spelling
            assert asked(program, front, "/", (spelling, "forged")).status == 302


def test_what_a_client_says_about_its_request_opens_nothing(program: Program, front: Front) -> None:
    """The fields that proxies tell us the request with, sent by the client itself: a stranger stays one."""
    # S-120, S-101, GHSA-5wcc-hf24-rf5h
    for name, value in (
        ("X-Forwarded-Uri", "/health"),
        ("X-Forwarded-Host", "nobody.test"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Forwarded-Prefix", "/health"),
        ("X-Original-URL", f"{front.url}/health"),
        ("X-Original-URI", "/health"),
        ("X-Original-URI", "/outpost.goauthentik.io/start"),
        ("X-Rewrite-URL", "/health"),
        ("Forwarded", "host=nobody.test"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Connection", "close, X-Forwarded-Uri, X-Forwarded-Host"),
        ("X_Forwarded_Uri", "/health"),
        ("X_Original_URL", f"{front.url}/health"),
    ):
        answer = asked(program, front, "/secret", (name, value))
        assert answer.status in (302, 400, 401), (name, value, answer.status)
        assert "RemoteAddr" not in answer.text, (name, value)


def test_the_open_path_is_the_only_one(program: Program, front: Front) -> None:
    """What leads to it is open, what leads away from it is not, in whatever spelling the proxy hands it on."""
    # S-203, S-204, S-205, S-207
    assert asked(program, front, "/health").status == 200
    for path in (
        "/health/",
        "/healthz",
        "/health/../secret",
        "/health/%2e%2e/secret",
        "/health%2f..%2fsecret",
        "/health;x",
        "/health/..;/secret",
        "/secret?/health",
        "/secret?x=/health",
        "/health%0a",
        "/health%23",
        "/health%3f",
        "/HEALTH",
        "/secret%23/health",
        "/health%5c..%5csecret",
    ):
        answer = asked(program, front, path)
        assert answer.status in (302, 400, 401, 403, 404), (path, answer.status)
        assert "RemoteAddr" not in answer.text, path


def test_a_damaged_cookie_is_no_session(program: Program, front: Front, cookie: tuple[str, str]) -> None:
    """Cut, changed, doubled: a login."""
    # S-301, S-313
    name, equals, value = cookie[1].partition("=")
    other = "y" if value[20] == "x" else "x"
    for wrong in (value[:-1], value + "A", value[:20] + other + value[21:], "", "A" * 72):
        assert asked(program, front, "/", ("Cookie", f"{name}{equals}{wrong}")).status == 302
    assert asked(program, front, "/", ("Cookie", f"{name}={value}; {name}=planted")).status == 302
    assert asked(program, front, "/", cookie).status == 200


def test_our_endpoints_behind_a_proxy_lead_nowhere_else(program: Program, front: Front) -> None:
    """``rd`` to another site is dropped there as well, and unknown endpoints are not let through."""
    # S-307, S-236
    for rd in ("https://evil.test/", "//evil.test", "/\\evil.test", "https://evil.test@" + front.url[8:]):
        answer = asked(program, front, f"/outpost.goauthentik.io/start?rd={rd}")
        assert answer.status in (302, 400), rd  # a raw backslash is no URL to begin with
        assert all(location.startswith(program.identity + "/") for location in answer.all("Location")), rd
    for path in ("/outpost.goauthentik.io/nothing", "/outpost.goauthentik.io/auth/nginx"):
        answer = asked(program, front, path)
        assert answer.status in (302, 400, 401, 403, 404, 500), (path, answer.status)
        assert "RemoteAddr" not in answer.text


def test_no_spelling_gets_around_a_step_up_rule(program: Program, front: Front, cookie: tuple[str, str]) -> None:
    """A login without a factor reaches the page in no way in which the proxy hands its path on; scripts get a 401."""
    # S-203, S-204, S-205, S-207
    assert asked(program, front, "/administration", cookie).status == 200
    for path in (
        "/admin",
        "/admin/users?x=/health",
        "/%61dmin",
        "/ADMIN/",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/x/%2e%2e/admin",
        "/admin;x=1",
        "/x/..;/admin",
        "/admin./users",
        "/admin%20/users",
        "/admin%2f",
        "/x%5c..%5cadmin",
        "/%EF%BC%A1dmin/",
        "/admin%00",
    ):
        answer = asked(program, front, path, cookie)
        assert answer.status in (302, 400, 401, 403, 404), (path, answer.status)
        assert "RemoteAddr" not in answer.text, path
    script = asked(program, front, "/admin/api", cookie, ("Sec-Fetch-Mode", "cors"))
    assert script.status in (302, 401)
    if script.status == 401:
        assert "insufficient_user_authentication" in script.all("WWW-Authenticate")[0]
