"""``doorward outpost`` on another machine than the identity provider that tells it what to protect."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.line import Line
from peers.outpost_program import outpost
from peers.processes import eventually, free_port
from peers.program import Program
from peers.proxies import demonstration_application
from peers.questions import Answer, ask

pytestmark = pytest.mark.journey

PASSWORD = "carolines-long-password-4"


@dataclass
class Far:
    """An outpost elsewhere with one application."""

    program: Program
    port: int
    outpost: Any
    provider: int
    person: int
    configuration: str
    line: Line
    """Between the outpost and the identity provider."""

    @property
    def url(self) -> str:
        return f"http://far-{self.port}.localhost:{self.port}"

    def asked(self, *headers: tuple[str, str], port: int = 0) -> Answer:
        """What a proxy beside the outpost (or another process of it) is told about a request of a browser."""
        host = f"far-{self.port}.localhost:{self.port}"
        forwarded = [
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Uri", "/"),
            ("Accept", "text/html"),
        ]
        url = f"http://127.0.0.1:{port or self.port}/outpost.goauthentik.io/auth/traefik"
        return ask(url, headers=[*forwarded, *headers])

    def session(self, browser: Browser) -> tuple[str, str]:
        """Log in with a browser; the ``Cookie`` field that it has then."""
        with visitor(browser) as page:
            page.goto(f"{self.url}/outpost.goauthentik.io/start")
            log_in(page, f"far-{self.port}", PASSWORD)
            page.wait_for_url(f"{self.url}/**")
            return cookies(page, self.url)


def prepared(program: Program, **provider_fields: str) -> Far:
    api, port, line = Api(program), free_port(), Line(program.https_port)
    name = f"far-{port}"
    provider = api.post(
        "/providers/proxy/",
        name=name,
        external_host=f"http://{name}.localhost:{port}",
        authorization_flow=api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"],
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        **{"mode": "forward_single", **provider_fields},
    )
    api.post("/core/applications/", name=name, slug=name, provider=provider["pk"])
    made = api.post("/outposts/instances/", name=name, type="proxy", providers=[provider["pk"]], config={})
    token = api.get(f"/core/tokens/{made['token_identifier']}/view_key/")["key"]
    text = f"""\
listen: "127.0.0.1:{port}"
identityProvider:
  url: {program.identity}
  token: {token}
  poll: 0.5
  caFile: {program.ca}
  connect: 127.0.0.1:{line.port}
"""
    return Far(program, port, made, provider["pk"], api.person(name, PASSWORD)["pk"], text, line)


@contextlib.contextmanager
def running(program: Program, folder: Path, **provider_fields: str) -> Iterator[Far]:
    made = prepared(program, **provider_fields)
    with contextlib.closing(made.line), outpost(folder, made.port, made.configuration):
        yield made


@pytest.fixture(scope="module")
def far(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """For tests that leave it as it was."""
    with running(program, tmp_path_factory.mktemp("far")) as far:
        yield far


def test_what_changes_there_is_in_force_here(program: Program, browser: Browser, tmp_path: Path) -> None:
    """A login, who it is, and within five seconds: another rule, a disabled user, a deleted application, and the
    outpost itself, whose token counts no longer."""
    # S-321, S-322, S-338
    api = Api(program)
    with running(program, tmp_path) as far:
        cookie = far.session(browser)
        passed = far.asked(cookie)
        assert passed.status == 200
        assert passed.one("X-authentik-username") == f"far-{far.port}"
        assert passed.one("X-authentik-meta-outpost") == f"far-{far.port}"

        api.patch(f"/providers/proxy/{far.provider}/", skip_path_regex="(?#allowMatchAll)^/$")
        eventually(lambda: far.asked().status == 200, within=5, what="the path is open")
        api.patch(f"/providers/proxy/{far.provider}/", skip_path_regex="")
        eventually(lambda: far.asked().status == 302, within=5, what="the path is shut again")

        api.patch(f"/core/users/{far.person}/", is_active=False)
        eventually(lambda: far.asked(cookie).status == 302, within=5, what="the session has ended")

        api.delete(f"/core/applications/far-{far.port}/")
        eventually(lambda: far.asked().status == 400, within=5, what="the application is unknown")

        api.delete(f"/outposts/instances/{far.outpost['pk']}/")
        eventually(lambda: far.asked().status == 503, within=5, what="nobody passes")
        assert "does not take this outpost's token" in far.asked().text


def test_signing_out_here_and_being_seen_there(far: Far, browser: Browser) -> None:
    """Sign-out at the outpost ends the session at once; the list of outposts says who is there, in which version."""
    # S-323
    api = Api(far.program)
    cookie = far.session(browser)

    left = ask(f"{far.url}/outpost.goauthentik.io/sign_out", headers=[cookie])
    after = far.asked(cookie)

    assert left.status == 302
    assert left.one("Location").startswith(f"{far.program.identity}/application/o/far-{far.port}/end-session/")
    assert after.status == 302
    [health] = api.get(f"/outposts/instances/{far.outpost['pk']}/health/")
    assert health["version"] == health["version_should"]
    assert health["hostname"]


def test_why_somebody_did_not_pass_there_is_known_here(far: Far) -> None:
    """The id of an answer of the outpost leads to its record at the identity provider."""
    request_id = far.asked().one("X-authentik-id")

    def found() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = Api(far.program).get("/doorward/decisions/", application=f"far-{far.port}")[
            "decisions"
        ]
        return [each for each in listed if each["id"] == request_id]

    eventually(found, within=30, what="the record has arrived")
    [record] = found()
    assert record["reason"] == "no_session"
    assert record["asked_by"] == f"Traefik at the outpost far-{far.port}"


def test_it_stands_before_an_application_itself(program: Program, browser: Browser, tmp_path: Path) -> None:
    """Proxy mode: the outpost hands requests on to the inside host, which may change while it runs."""
    with (
        demonstration_application(tmp_path) as whoami,
        running(program, tmp_path, mode="proxy", internal_host=f"http://127.0.0.1:{whoami}") as far,
    ):
        eventually(lambda: ask(far.url).status == 302, within=5, what="the application is protected")
        with visitor(browser) as page:
            page.goto(f"{far.url}/wanted?a=b")
            log_in(page, f"far-{far.port}", PASSWORD)
            expect(page).to_have_url(f"{far.url}/wanted?a=b")
            expect_whoami(page, f"far-{far.port}")
            cookie = cookies(page, far.url)
        assert ask(far.url, headers=[cookie, ("X-authentik-username", "mallory")]).text.count("mallory") == 0

        Api(program).patch(f"/providers/proxy/{far.provider}/", internal_host=f"http://127.0.0.1:{free_port()}")
        eventually(lambda: ask(far.url, headers=[cookie]).status == 502, within=5, what="the other host is asked")


def test_the_identity_provider_goes_away_and_comes_back(far: Far, browser: Browser) -> None:
    """Who is logged in goes on, nobody new is sent to log in, and what changed meanwhile is caught up with."""
    cookie = far.session(browser)
    assert far.asked(cookie).status == 200

    far.line.cut()
    eventually(lambda: far.asked().status == 503, within=15, what="strangers are told to wait")
    assert b"The identity provider does not answer" in far.asked().body
    assert far.asked(cookie).status == 200
    api = Api(far.program)
    api.patch(f"/core/users/{far.person}/", is_active=False)
    api.patch(f"/core/users/{far.person}/", is_active=True)

    far.line.mend()
    eventually(lambda: far.asked().status == 302, within=15, what="strangers are sent to log in again")
    eventually(lambda: far.asked(cookie).status == 302, within=5, what="the session has ended")


def test_a_renewed_token_and_another_way(program: Program, browser: Browser, tmp_path: Path) -> None:
    """Both are read again by themselves; whoever was logged in still is, and news comes the new way."""
    made, api = prepared(program), Api(program)
    key, config, other_line = tmp_path / "token", tmp_path / "outpost.yml", Line(program.https_port)
    token = next(line.split()[1] for line in made.configuration.splitlines() if "token:" in line)
    key.write_text(token)
    text = made.configuration.replace(f"token: {token}", f"tokenFile: {key}")
    with contextlib.closing(made.line), contextlib.closing(other_line), outpost(tmp_path, made.port, text):
        cookie = made.session(browser)
        assert made.asked(cookie).status == 200

        api.post(f"/core/tokens/{made.outpost['token_identifier']}/set_key/", key="n" * 60)
        eventually(lambda: made.asked(cookie).status == 503, within=10, what="the former token counts no longer")
        key.write_text("n" * 60)
        eventually(lambda: made.asked(cookie).status == 200, within=30, what="the new token is used")

        config.write_text(text.replace(f"connect: 127.0.0.1:{made.line.port}", f"connect: 127.0.0.1:{other_line.port}"))
        eventually(lambda: "read again" in (tmp_path / "outpost.log").read_text(), within=30, what="it was read")
        made.line.close()
        assert made.asked(cookie).status == 200
        api.patch(f"/core/users/{made.person}/", is_active=False)
        eventually(lambda: made.asked(cookie).status == 302, within=15, what="the session has ended")


def test_an_outpost_that_has_never_reached_its_identity_provider(tmp_path: Path) -> None:
    """It answers, and says why it does not let anybody in."""
    port = free_port()
    text = f"""\
listen: "127.0.0.1:{port}"
identityProvider: {{url: "http://127.0.0.1:{free_port()}", token: nobody}}
"""
    with outpost(tmp_path, port, text, ready=False):
        answer = ask(
            f"http://127.0.0.1:{port}/outpost.goauthentik.io/auth/traefik",
            headers=[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.test"), ("X-Forwarded-Uri", "/")],
        )
        assert answer.status == 503
        assert b"has not reached its identity provider" in answer.body
        assert ask(f"http://127.0.0.1:{port}/outpost.goauthentik.io/ping").status == 204
        assert ask(f"http://127.0.0.1:{port}/-/health/ready/").status == 503
