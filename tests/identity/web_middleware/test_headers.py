"""The headers that every page carries."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from doorward.identity.web.middleware.headers import SecurityHeaders, policy

EXPECTED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/if/flow/default-authentication-flow/",
        "/flows/-/default/authentication/",
        "/api/v3/flows/executor/default-authentication-flow/?query=",
        "/if/flow/no-such/",
        "/nothing/here/",
    ],
)
def test_pages_redirects_answers_and_errors_alike(client: Client, flows: None, path: str) -> None:
    """Nothing can be framed, sniffed, cached or scripted from elsewhere."""  # S-441, S-532
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED


@pytest.mark.django_db
def test_no_page_has_a_script_or_a_style_of_its_own(client: Client, flows: None) -> None:
    """The policy forbids inline code; no page of ours relies on it."""  # S-530
    for path in ("/if/flow/default-authentication-flow/", "/nothing/here/"):
        page = client.get(path).content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert page.count("<script") == page.count("<script src=")
        assert " onclick" not in page


def test_a_view_may_name_origins_that_its_form_leads_to() -> None:
    """The application's, checked; anything that could say more than an origin is left out."""  # S-407

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response.form_action_origins = ("https://app.example.test:8443",)  # type: ignore[attr-defined]
        return response

    answer = SecurityHeaders(view)(RequestFactory().get("/"))

    assert answer.headers["Content-Security-Policy"].endswith("form-action 'self' https://app.example.test:8443")
    for origin in ("https://a.test; script-src *", "https://a.test/x", "javascript:alert(1)", "*", "https://a.test\n"):
        assert policy([origin]) == policy()


def test_a_view_may_know_better_about_caching() -> None:
    """Published keys, for example."""
    answer = SecurityHeaders(lambda request: HttpResponse(headers={"Cache-Control": "max-age=60"}))(
        RequestFactory().get("/")
    )

    assert answer.headers["Cache-Control"] == "max-age=60"
