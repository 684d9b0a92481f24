"""The one journey that every proxy in front must make possible."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, expect

from peers.browser import LOGIN_PAGE, expect_whoami, log_in, sign_out, visitor
from peers.program import PASSWORD, Program
from peers.proxies import Front
from peers.questions import Answer


def make_the_journey(browser: Browser, front: Front, slug: str) -> None:
    """Open, log in, land where one wanted to go, be known at once on the next page, sign out, be asked again."""
    with visitor(browser) as page:
        page.goto(f"{front.url}/wanted?page=1")
        log_in(page, "akadmin", PASSWORD)
        expect(page).to_have_url(f"{front.url}/wanted?page=1")
        fields = expect_whoami(page, "akadmin")
        assert fields["x-authentik-meta-app"] == slug
        assert fields["x-authentik-email"]
        assert fields["x-authentik-jwt"].count(".") == 2

        page.goto(f"{front.url}/another")
        expect_whoami(page, "akadmin")

        sign_out(page, front.url)
        page.goto(front.url)
        expect(page).to_have_url(LOGIN_PAGE)


def check_the_redirect(answer: Answer, program: Program, front: Front) -> None:
    """What ``curl -i`` shows to somebody who is not logged in (``contracts/outpost.md`` sections 5.1 and 10)."""
    assert answer.status == 302
    location = urlsplit(answer.one("Location"))
    query = {name: values[0] for name, values in parse_qs(location.query, strict_parsing=True).items()}
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{program.identity}/application/o/authorize/"
    assert query["redirect_uri"] == f"{front.url}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true"
    assert query["response_type"] == "code"
    assert set(query["scope"].split()) >= {"openid", "profile", "email", "ak_proxy"}
    assert query["client_id"]
    assert query["state"]

    cookie = answer.one("Set-Cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith("authentik_proxy_")
    assert len(name.partition("=")[0]) == len("authentik_proxy_") + 8
    assert {attribute.partition("=")[0] for attribute in attributes} == {
        "Path",
        "Expires",
        "Max-Age",
        "HttpOnly",
        "Secure",
        "SameSite",
    }
    assert "Path=/" in attributes
    assert "SameSite=Lax" in attributes
