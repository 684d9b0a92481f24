"""``doorward outpost`` on its own, in front of an application, with a real browser and two identity providers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.openid_provider import CLIENT, SECRET, Provider, serving
from peers.outpost_program import outpost
from peers.processes import descendants, eventually, free_port
from peers.program import PASSWORD, Program
from peers.proxies import demonstration_application
from peers.questions import ask

pytestmark = pytest.mark.journey

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def whoami(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with demonstration_application(tmp_path_factory.mktemp("whoami")) as port:
        yield port


def configuration(port: int, issuer: str, whoami: int, more: str = "") -> str:
    return f"""\
listen: "127.0.0.1:{port}"
issuer:
  {issuer}
applications:
  wiki:
    externalUrl: http://wiki.localhost:{port}
    upstreams: [{{url: "http://127.0.0.1:{whoami}"}}]
    allow: {{groups: [staff, authentik Admins]}}
    headers: {{authRequest: true}}
cookie: {{secret: {KEY}}}
{more}"""


def test_our_own_identity_provider_as_anybodys(program: Program, browser: Browser, whoami: int, tmp_path: Path) -> None:
    """As an ordinary OpenID Connect client of a Doorward elsewhere: log in, be known, sign out, be asked again."""
    api, port = Api(program), free_port()
    url = f"http://wiki.localhost:{port}"
    scopes = api.get("/propertymappings/provider/scope/")["results"]
    wanted = {"openid", "profile", "email", "offline_access"}
    provider = api.post(
        "/providers/oauth2/",
        name="standalone",
        authorization_flow=api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"],
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        signing_key=api.get("/crypto/certificatekeypairs/")["results"][0]["pk"],
        client_id="standalone-outpost",
        client_secret="s" * 40,
        property_mappings=[each["pk"] for each in scopes if each["scope_name"] in wanted],
        redirect_uris=[
            {
                "matching_mode": "strict",
                "url": f"{url}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
            }
        ],
    )
    api.post("/core/applications/", name="Standalone", slug="standalone", provider=provider["pk"])
    issuer = f"""url: {program.identity}/application/o/standalone/
  clientId: standalone-outpost
  clientSecret: {"s" * 40}
  scopes: [openid, profile, email, offline_access]
  caFile: {program.ca}
  connect: 127.0.0.1:{program.https_port}"""
    with outpost(tmp_path, port, configuration(port, issuer, whoami)) as log, visitor(browser) as page:
        page.goto(f"{url}/wanted?page=1")
        log_in(page, "akadmin", PASSWORD)
        expect(page).to_have_url(f"{url}/wanted?page=1")
        told = expect_whoami(page, "akadmin")
        assert told["x-auth-request-preferred-username"] == "akadmin"
        assert "authentik_proxy" not in told.get("cookie", "")

        page.goto(f"{url}/outpost.goauthentik.io/sign_out")
        expect(page.locator("body")).to_contain_text("logged out of Standalone")
        assert "authentik_proxy" not in cookies(page, url)[1]
    assert "s" * 40 not in log.read_text()
    assert KEY not in log.read_text()


@pytest.fixture(params=[False, True], ids=["plain", "authentik"])
def issuer(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """Somebody else's identity provider; once with the URLs, claims and metadata that authentik has."""
    with serving(free_port(), as_authentik=request.param) as provider:
        yield provider


def lines(issuer: Provider) -> str:
    port = issuer.origin.rpartition(":")[2]
    return f"""url: {issuer.issuer}
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  scopes: [openid, profile, email, offline_access]
  connect: 127.0.0.1:{port}"""


def enter(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#login").click()
    page.wait_for_url(url)


def test_another_identity_provider(issuer: Provider, browser: Browser, whoami: int, tmp_path: Path) -> None:
    """Log in, survive a restart, be logged out by the issuer itself, and not be let in without the right group."""
    port = free_port()
    url = f"http://wiki.localhost:{port}"
    text = configuration(port, lines(issuer), whoami, f"state: {tmp_path}/state\nmetrics: '127.0.0.1:{free_port()}'")
    with visitor(browser) as page:
        with outpost(tmp_path, port, text):
            enter(page, f"{url}/wanted?page=1")
            told = expect_whoami(page, "carol")
            assert told["x-auth-request-user"] == "sub-carol"
            assert told["x-auth-request-groups"] == "staff"
            assert told["x-authentik-meta-jwks"] == issuer.discovery()["jwks_uri"]

        with outpost(tmp_path, port, text):  # S-336: the session is in the browser
            page.goto(f"{url}/again")
            told = expect_whoami(page, "carol")

            token = issuer.logout_token(sid=issuer.sid_of(told["x-authentik-jwt"]))
            said = ask(
                f"{url}/outpost.goauthentik.io/backchannel_logout",
                method="POST",
                headers=[("Content-Type", "application/x-www-form-urlencoded")],
                body=f"logout_token={token}".encode(),
            )
            assert said.status == 200, said
            page.goto(f"{url}/again")
            expect(page.locator("h1")).to_have_text("Issuer")

            issuer.person.groups = ["visitors"]
            page.locator("#login").click()
            expect(page.locator("h1")).to_have_text("You may not open wiki")
            expect(page.locator("body")).to_contain_text("Only members of certain groups may enter")


def test_it_waits_for_its_issuer(whoami: int, tmp_path: Path) -> None:
    """Started before its issuer: people are told to wait, and the first that comes later can log in. It is one process,
    which has loaded neither the identity provider nor what reads configurations."""
    port, issuer_port = free_port(), free_port()
    url = f"http://wiki.localhost:{port}/"
    late = f"""url: http://id.localhost:{issuer_port}/realms/main
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  connect: 127.0.0.1:{issuer_port}"""
    with outpost(tmp_path, port, configuration(port, late, whoami), ready=False) as log:
        waiting = ask(url, headers=[("Accept", "text/html")])
        assert waiting.status == 503
        assert b"The identity provider does not answer" in waiting.body
        assert ask(f"http://127.0.0.1:{port}/-/health/ready/").status == 503
        with serving(issuer_port):
            eventually(lambda: ask(url).status == 302, within=30, what="one can log in")
        [pid] = [
            int(each.name)
            for each in Path("/proc").iterdir()
            if each.name.isdigit() and str(log) == _error_output(each)
        ]
        maps = Path(f"/proc/{pid}/maps").read_text()
        children = descendants(pid)
    assert not children
    assert not re.search("pydantic|_yaml|argon2", maps)


def _error_output(process: Path) -> str:
    try:
        return str((process / "fd" / "2").readlink())
    except OSError:
        return ""
