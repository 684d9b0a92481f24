"""``doorward doctor`` in front of real proxies that somebody configured wrongly: each fault is named."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doorward.doctor.examination import Examination
from doorward.doctor.findings import FAULT, Finding
from peers.api import Api
from peers.processes import free_port
from peers.program import PASSWORD, Program
from peers.proxies import Front, caddy, nginx, nginx_by_the_page, traefik

pytestmark = pytest.mark.interop


AKADMIN = ("akadmin", PASSWORD)


def examined(
    program: Program, url: str, *, person: tuple[str, str] = ("", ""), resolve: Mapping[str, str] = {}
) -> list[Finding]:
    """Everything that the doctor finds. In a thread of its own: a browser's event loop may run in this one."""

    async def all_of_them() -> list[Finding]:
        examination = Examination(url, *person, program.ca.read_text(), resolve)
        return [finding async for finding in examination.findings()]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(all_of_them())).result()


def faults(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.verdict == FAULT}


@dataclass(frozen=True)
class Case:
    """One mistake, in the words of the configuration in which it is made."""

    name: str
    proxy: Callable[..., contextlib.AbstractContextManager[Front]]
    expected: set[str]
    changes: Mapping[str, str] = field(default_factory=dict)
    person: tuple[str, str] = ("", "")
    external: str = ""
    """External host of the provider, where it is not the front's own; {port} is the front's."""
    protected: bool = True
    tls: bool = True
    host: str = ""
    target: str = "/"


_OURS = "location /outpost.goauthentik.io {"
_ASKED_WITHOUT = (
    "location = /outpost.goauthentik.io/auth/nginx { internal; proxy_pass {plain}/outpost.goauthentik.io/auth/nginx; "
    "proxy_set_header Host $http_host; proxy_set_header X-Original-URL $scheme://$http_host$request_uri; "
    'proxy_set_header Cookie ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; }\n'
)
CASES = (
    Case(
        "nobody-asks",
        nginx,
        {"anonymous_let_through"},
        {"auth_request /outpost.goauthentik.io/auth/nginx;": ""},
    ),
    Case(
        "untold",
        nginx,
        {"headers_not_forwarded"},
        {"proxy_set_header X-Original-URL $scheme://$http_host$request_uri;": ""},
    ),
    Case(
        "another-host-told",
        nginx,
        {"no_application"},
        {"X-Original-URL $scheme://$http_host$request_uri;": "X-Original-URL $scheme://internal.test$request_uri;"},
    ),
    Case(
        "no-sign-in",
        nginx,
        {"signin_not_routed"},
        {"error_page 401 = @goauthentik_proxy_signin;": ""},
    ),
    Case(
        "only-the-question-routed",
        nginx,
        {"outpost_path_not_routed"},
        {
            _OURS: "location = /outpost.goauthentik.io/auth/nginx {",
            "/outpost.goauthentik.io;\n": "/outpost.goauthentik.io/auth/nginx;\n",
        },
    ),
    Case(
        "cookie-never-set",
        nginx,
        {"cookie_missing"},
        {"add_header Set-Cookie $auth_cookie;": "", _OURS: f"{_OURS} proxy_hide_header Set-Cookie;"},
    ),
    Case(
        "cookie-of-another-domain",
        nginx,
        {"cookie_domain"},
        {
            _OURS: f"{_OURS} proxy_hide_header Set-Cookie; "
            'add_header Set-Cookie "authentik_proxy_00000000=x; Domain=other.test; Path=/";'
        },
    ),
    Case(
        "cookie-not-handed-on",
        nginx,
        {"cookie_not_forwarded"},
        {_OURS: f'{_OURS} proxy_set_header Cookie "";'},
    ),
    Case(
        "asked-without-cookie",
        nginx,
        {"cookie_not_forwarded"},
        {_OURS: _ASKED_WITHOUT + _OURS},
        person=AKADMIN,
    ),
    Case(
        "groups-not-copied",
        nginx,
        {"header_not_copied", "forged_header_arrives"},
        {"proxy_set_header X-authentik-groups $authentik_groups;": ""},
        person=AKADMIN,
    ),
    Case(
        "told-another-scheme",
        nginx,
        {"scheme_loop"},
        {
            "location / {": 'if ($http_x_forwarded_proto != "https") { return 301 https://$http_host$request_uri; }\n'
            "location / {"
        },
        protected=False,
    ),
    Case(
        "in-a-circle",
        nginx,
        {"redirect_loop"},
        {"location / {": "location /a/page { return 302 /b; }\nlocation /b { return 302 /a/page; }\nlocation / {"},
    ),
    Case("outpost-elsewhere", traefik, {"gateway"}, {"{plain}": "http://127.0.0.1:1"}, protected=False),
    Case("wrong-scheme", traefik, {"wrong_external_url"}, external="http://{host}:{port}"),
    Case("plain-http", traefik, {"cookie_secure"}, external="https://{host}:{port}", tls=False, host="plain.test"),
)


@contextlib.contextmanager
def standing(program: Program, folder: Path, case: Case) -> Iterator[Front]:
    host = case.host or f"{case.name}.localhost"
    changes = {
        old.replace("{plain}", program.plain): new.replace("{plain}", program.plain)
        for old, new in case.changes.items()
    }
    more = {} if case.tls else {"tls": False}
    with case.proxy(program, folder, host, changes=changes, **more) as front:
        if case.protected:
            external = case.external.format(host=host, port=front.port) if case.external else front.url
            Api(program).protect(f"doctor-{case.name}", external)
        yield front


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fault_is_named(program: Program, tmp_path: Path, case: Case) -> None:
    """One mistake in a real proxy's configuration, found from outside, with a word about what to do."""
    with standing(program, tmp_path, case) as front:
        findings = examined(program, f"{front.url}/a/page", person=case.person, resolve={"plain.test": "127.0.0.1"})

    assert faults(findings) == case.expected, findings
    assert all(finding.remedy for finding in findings if finding.verdict == FAULT)


def traefik_by_the_page(program: Program, folder: Path, host: str) -> contextlib.AbstractContextManager[Front]:
    return traefik(program, folder, host, by_the_page=True)


@pytest.mark.parametrize("proxy", [traefik_by_the_page, nginx_by_the_page, caddy])
def test_nothing_is_wrong_with_what_is_right(
    program: Program, tmp_path: Path, proxy: Callable[..., contextlib.AbstractContextManager[Front]]
) -> None:
    """The configurations of the how-tos pass, login and forgeries included."""
    host = f"right-{proxy.__name__}.localhost"
    with proxy(program, tmp_path, host) as front:
        Api(program).protect(f"right-{proxy.__name__}", front.url)
        findings = examined(program, f"{front.url}/a/page?x=1", person=AKADMIN)

    codes = {finding.code for finding in findings}
    assert faults(findings) == set(), findings
    assert {"asked_to_log_in", "comes_back", "callback", "logged_in", "headers"} <= codes


@pytest.mark.parametrize("proxy", [traefik, nginx])
def test_a_name_that_the_proxy_does_not_know(
    program: Program, tmp_path: Path, proxy: Callable[..., contextlib.AbstractContextManager[Front]]
) -> None:
    """With the eleven names that many people list, a client's ``X-authentik-entitlements`` reaches the application."""
    # S-108
    host = f"eleven-{proxy.__name__}.localhost"
    with proxy(program, tmp_path, host) as front:
        Api(program).protect(f"eleven-{proxy.__name__}", front.url)
        [found] = [finding for finding in examined(program, front.url, person=AKADMIN) if finding.verdict == FAULT]

    assert found.code == "forged_header_arrives"
    assert "x-authentik-entitlements" in found.text


def test_a_login_that_does_not_lead_in(program: Program, tmp_path: Path) -> None:
    """A wrong password, a person whom the rules keep out, and a login that asks for more than a password."""
    api = Api(program)
    with traefik(program, tmp_path, "doctor-login.localhost") as front:
        application = api.protect("doctor-login", front.url)
        wrong = examined(program, front.url, person=("akadmin", "not the password"))

        api.person("doctor-outsider", "a long enough password")
        api.bind(application, group=api.group("doctor-insiders")["pk"])
        outside = examined(program, front.url, person=("doctor-outsider", "a long enough password"))

        api.patch(f"/providers/proxy/{application['provider']}/", authentication_flow=_asking_for_more(api))
        asked = examined(program, front.url, person=AKADMIN)

    assert faults(wrong) == {"login_failed"}, wrong
    assert faults(outside) == {"login_denied"}, outside
    assert faults(asked) == {"login_needs_more"}, asked


def _asking_for_more(api: Api) -> str:
    """A flow that wants to know something beside name and password."""
    flow = api.post("/flows/instances/", name="More", slug="doctor-more", title="More", designation="authentication")
    prompt = api.post(
        "/stages/prompt/prompts/", name="doctor-colour", field_key="colour", label="Colour", type="text", required=True
    )
    asking = api.post("/stages/prompt/stages/", name="doctor-asking", fields=[prompt["pk"]])
    stages = [
        api.first("/stages/all/", name=f"default-authentication-{name}")["pk"]
        for name in ("identification", "password")
    ]
    login = api.first("/stages/all/", name="default-authentication-login")["pk"]
    for order, stage in enumerate([*stages, asking["pk"], login]):
        api.post("/flows/bindings/", target=flow["pk"], stage=stage, order=order * 10)
    return str(flow["pk"])


def test_a_name_without_an_address_and_a_port_without_a_listener(program: Program) -> None:
    """The way to the front itself."""
    assert faults(examined(program, "https://nowhere.invalid/")) == {"dns"}
    assert faults(examined(program, f"http://127.0.0.1:{free_port()}/")) == {"unreachable"}
    assert faults(examined(program, "ftp://app.localhost/")) == {"bad_url"}


def test_a_certificate_of_another_host(program: Program) -> None:
    """The rest of the way is looked at all the same."""
    findings = examined(program, f"https://wrong-name.localhost:{program.https_port}/")
    assert faults(findings) == {"tls_wrong_name", "no_route"}
