"""Debian's Apache in front, an OpenID Connect client by mod_auth_openidc, with the virtual host of our own page."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from peers.api import Api
from peers.browser import cookies, expect_whoami, log_in, visitor
from peers.processes import eventually, free_port
from peers.program import PASSWORD, Program
from peers.proxies import Front, apache
from peers.questions import ask

pytestmark = pytest.mark.interop

HOST, SLUG = "apache-app.localhost", "apache-app"


@pytest.fixture(scope="module")
def front(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    api, port, plain = Api(program), free_port(), free_port()
    outside = f"https://{HOST}:{port}"
    scopes = ("openid", "profile", "email", "offline_access")
    provider = api.post(
        "/providers/oauth2/",
        name=SLUG,
        authorization_flow=api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"],
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        property_mappings=[api.first("/propertymappings/provider/scope/", scope_name=name)["pk"] for name in scopes],
        redirect_uris=[
            {"matching_mode": "strict", "url": f"{outside}/oidc/callback"},
            {"matching_mode": "strict", "url": f"{outside}/", "redirect_uri_type": "logout"},
        ],
        logout_uri=f"http://127.0.0.1:{plain}/oidc/callback?logout=backchannel",
    )
    api.post("/core/applications/", name="Apache", slug=SLUG, provider=provider["pk"])
    client = {"slug": SLUG, "client_id": provider["client_id"], "client_secret": provider["client_secret"]}
    with apache(program, tmp_path_factory.mktemp("apache"), HOST, port, client, plain) as front:
        yield front


def test_log_in_be_known_and_sign_out(browser: Browser, program: Program, front: Front) -> None:
    """The page that was wanted, the fields of whoever logged in, nothing of what a client claims, and out again."""
    forged = {"X-authentik-username": "mallory", "X-Authentik-Groups": "authentik Admins", "OIDC_CLAIM_sub": "forged"}
    html = ("Accept", "text/html")
    with visitor(browser, extra_http_headers=forged) as page:
        page.goto(f"{front.url}/wanted?page=1")
        log_in(page, "akadmin", PASSWORD)
        expect(page).to_have_url(f"{front.url}/wanted?page=1")
        fields = expect_whoami(page, "akadmin")
        assert fields["x-authentik-groups"] == "authentik Admins"
        assert fields["x-authentik-email"]
        assert "forged" not in page.content()
        assert "mod_auth_openidc_session" not in page.content()

        session = cookies(page, front.url)
        assert ask(front.url, ca=program.ca, headers=[session, html]).status == 200
        page.goto(f"{front.url}/oidc/callback?logout={quote(f'{front.url}/', safe='')}")
        # Logged in at Doorward still, the browser is let in again: with another session.
        expect_whoami(page, "akadmin")
        assert cookies(page, front.url) != session
        assert ask(front.url, ca=program.ca, headers=[session, html]).status == 302


def test_a_stranger_reaches_nothing(program: Program, front: Front) -> None:
    """A browser is sent to log in, a script is told 401; neither is the application's to answer."""
    answer = ask(f"{front.url}/a", ca=program.ca, headers=[("Accept", "text/html"), ("X-authentik-username", "me")])
    assert answer.status == 302
    assert answer.one("Location").startswith(f"{program.identity}/application/o/authorize/?")
    script = ask(f"{front.url}/a", ca=program.ca, headers=[("X-Requested-With", "XMLHttpRequest")])
    assert script.status == 401


def test_who_may_no_longer_enter_is_out_when_the_token_is_renewed(
    browser: Browser, program: Program, front: Front
) -> None:
    """Apache keeps the session, Doorward ends it: here the token is so short that every request renews it."""
    api = Api(program)
    provider = api.first("/providers/oauth2/", name=SLUG)
    api.patch(f"/providers/oauth2/{provider['pk']}/", access_token_validity="minutes=10")
    leaving = api.person("leaving-apache", "leavings-long-password")
    with visitor(browser) as page:
        page.goto(front.url)
        log_in(page, "leaving-apache", "leavings-long-password")
        expect_whoami(page, "leaving-apache")
        page.reload()
        expect_whoami(page, "leaving-apache")
        api.patch(f"/core/users/{leaving['pk']}/", is_active=False)
        page.reload()
        expect(page.locator("body")).not_to_contain_text("RemoteAddr:")


def test_apache_hears_that_the_login_has_ended(browser: Browser, program: Program, front: Front) -> None:
    """A logout at Doorward reaches mod_auth_openidc by the back channel: the session that it keeps is over."""  # S-444
    api = Api(program)
    # Long enough for no request of this test to renew it, which would end the session as well.
    provider = api.first("/providers/oauth2/", name=SLUG)
    api.patch(f"/providers/oauth2/{provider['pk']}/", access_token_validity="hours=2")
    person = api.person("told-apache", "tolds-long-password")
    with visitor(browser) as page:
        page.goto(front.url)
        log_in(page, "told-apache", "tolds-long-password")
        expect_whoami(page, "told-apache")
        session, html = cookies(page, front.url), ("Accept", "text/html")
        assert ask(front.url, ca=program.ca, headers=[session, html]).status == 200
        api.patch(f"/core/users/{person['pk']}/", is_active=False)
        eventually(
            lambda: ask(front.url, ca=program.ca, headers=[session, html]).status == 302, what="Apache ends its session"
        )
