"""Room E of the security contract: what the authorization endpoint does with bad, odd and hostile requests."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.actions import update_oauth2_provider
from doorward.identity.policies.actions import bind
from identity.oauth2.conftest import EXPLICIT, Register
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty, fields_of


def _refused_to(response: object) -> dict[str, str]:
    assert response.status_code == 302  # type: ignore[attr-defined]
    location: str = response["Location"]  # type: ignore[index]
    assert location.startswith(CALLBACK)
    return fields_of(location)


def test_unknown_clients_get_a_page(rp: RelyingParty, browser: Browser) -> None:
    """An unknown client is a page here, never a redirect; no parameters at all is no page."""  # C6
    response = rp.authorize(browser, client_id="unknown")
    assert response.status_code == 400
    assert "Client ID Error" in response.content.decode()
    assert browser.get("/application/o/authorize/").status_code == 404


@pytest.mark.parametrize("prompt", [None, "none"])
def test_wrong_redirects_get_a_page(rp: RelyingParty, browser: Browser, prompt: str | None) -> None:
    """A redirect URI that is not registered is a page here, also when the client wants no pages."""  # S-401 S-406 C6
    response = rp.authorize(browser, redirect_uri="https://evil.test/cb", prompt=prompt)
    assert response.status_code == 400
    assert "Redirect URI Error" in response.content.decode()
    assert "evil.test" not in response.content.decode()


def test_clients_without_redirects_are_refused(register: Register, browser: Browser) -> None:
    """Nothing registered means nowhere to go; nothing is learned."""  # S-404
    rp = register(redirect_uris=[])
    assert rp.authorize(browser).status_code == 400
    rp.provider.refresh_from_db()
    assert rp.provider.redirect_uris == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),  # S-410
        ({"code_challenge_method": None}, "invalid_request"),  # S-410
        ({"code_challenge": None}, "invalid_request"),  # S-410
        ({"code_challenge": "short"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),  # S-437
        ({"request_uri": "https://evil.test/r"}, "request_uri_not_supported"),  # S-437
        ({"nonce": "n" * 513}, "invalid_request"),  # S-439
        ({"scope": "unknown"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
    ],
)
def test_errors_go_back_with_state_and_issuer(
    rp: RelyingParty, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    """Errors of a known client go to its registered address, with its state and our issuer."""
    # S-410 S-437 S-438 S-439 C6
    answer = _refused_to(rp.authorize(browser, **changes))
    assert answer["error"] == error
    assert answer["state"] == rp.state
    assert answer["iss"] == "https://auth.example.test/application/o/rp/"
    assert "code" not in answer


def test_error_texts_hold_nothing_of_the_request(rp: RelyingParty, browser: Browser) -> None:
    """A description is one of ours; what was sent is not repeated."""  # S-453
    answer = _refused_to(rp.authorize(browser, response_type="<script>", prompt="<script>"))
    assert "script" not in answer["error_description"]


@pytest.mark.parametrize("name", ["state", "scope", "nonce", "response_type", "code_challenge", "response_mode"])
def test_repeated_parameters_are_refused(rp: RelyingParty, browser: Browser, name: str) -> None:
    """A parameter that comes twice is an error, and neither value is used."""  # S-417
    query = urlencode([*rp.question(response_mode="query").items(), (name, "second")])
    answer = _refused_to(browser.get(f"/application/o/authorize/?{query}"))
    assert answer["error"] == "invalid_request"
    assert answer.get("state") == (None if name == "state" else rp.state)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_addresses_get_a_page(rp: RelyingParty, browser: Browser, name: str) -> None:
    """Two clients or two addresses: nobody knows where to send the browser, so it stays."""  # S-417
    query = urlencode([*rp.question().items(), (name, rp.question()[name])])
    assert browser.get(f"/application/o/authorize/?{query}").status_code == 400


def test_posts_are_repeated_as_gets(rp: RelyingParty, browser: Browser) -> None:
    """A POST is answered with 303 to the same request as a GET, so that it comes with the login cookie."""  # S-441
    response = browser.post("/application/o/authorize/", rp.question())
    assert response.status_code == 303
    assert fields_of(browser.get(response["Location"])["Location"])["code"]


def test_form_post_escapes_and_pins_the_form(rp: RelyingParty, browser: Browser) -> None:
    """The self-submitting page shows nothing of the state as markup and may post only to the client."""  # S-407
    response = rp.authorize(browser, response_mode="form_post", state='"><script>alert(1)</script>')
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert" not in page
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'name="code"' in page
    policy = response["Content-Security-Policy"]
    assert "form-action 'self' https://rp.example.test" in policy
    assert "unsafe-inline" not in policy


def test_fragment_mode_keeps_codes_out_of_the_query(rp: RelyingParty, browser: Browser) -> None:
    """A client that asks for it finds the answer behind the hash sign; an unknown mode means the default."""
    assert rp.authorize(browser, response_mode="fragment")["Location"].startswith(f"{CALLBACK}#code=")
    assert rp.authorize(browser, response_mode="pigeon")["Location"].startswith(f"{CALLBACK}?code=")


def test_registered_queries_are_kept(register: Register, browser: Browser) -> None:
    """An address with a query of its own, like the outpost's, gets the answer added to it."""
    uri = "https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true"
    rp = register(redirect_uris=[{"matching_mode": "strict", "url": uri}])
    rp.redirect_uri = uri
    location = rp.authorize(browser)["Location"]
    assert location.startswith(f"{uri}&code=")


def test_nonce_comes_back_unchanged(rp: RelyingParty, browser: Browser) -> None:
    """Up to 512 characters, exactly as sent."""  # S-439
    from identity.oauth2.relying_party import payload_of

    nonce = "ä&=% " * 102
    assert payload_of(rp.tokens(browser, nonce=nonce)["id_token"])["nonce"] == nonce


def test_silent_requests_never_show_a_page(register: Register, browser: Browser) -> None:
    """With prompt=none the client is told what would have been asked."""
    rp = register(authorization_flow=EXPLICIT)
    assert _refused_to(rp.authorize(Browser(), prompt="none"))["error"] == "login_required"
    assert _refused_to(rp.authorize(browser, prompt="none"))["error"] == "consent_required"


def test_outsiders_get_a_page_that_says_so(
    rp: RelyingParty, staff: Group, mallory: User, akadmin: User, bob: User
) -> None:
    """An application bound to a group refuses everybody else with a page, never a code; only a superuser reads why."""
    # S-421 C14
    bind(Actor.system(), Application.objects.get(slug="rp"), group=staff)
    for user, told in ((mallory, False), (akadmin, True)):
        outsider = Browser()
        outsider.log_in_as(user)
        response = rp.authorize(outsider)
        assert response.status_code == 200
        assert ("staff" in response.content.decode()) is told
        assert _refused_to(rp.authorize(outsider, prompt="none"))["error"] == "access_denied"
    member = Browser()
    member.log_in_as(bob)
    assert rp.code(member)


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"acr_values": "urn:example:mfa"}])
def test_fresh_logins_are_really_fresh(
    rp: RelyingParty, browser: Browser, password: str, changes: dict[str, str], bob: User
) -> None:
    """Who is logged in already proves it again, for this request; opening the address again does not do."""  # S-440
    from identity.oauth2.relying_party import payload_of

    before = bob.login_sessions.get().authenticated_at
    response = rp.authorize(browser, **changes)
    assert urlsplit(response["Location"]).path == "/if/flow/default-authentication-flow/"
    again = rp.authorize(browser, **changes)
    assert urlsplit(again["Location"]).path == "/if/flow/default-authentication-flow/"
    location = browser.walk(response["Location"], {"uid_field": "bob"}, {"password": password})
    answer = browser.get(location)
    tokens = rp.redeem(fields_of(answer["Location"])["code"]).json()
    after = bob.login_sessions.get().authenticated_at
    assert before is not None and after is not None and after > before
    assert payload_of(tokens["id_token"])["auth_time"] == int(after.timestamp())
    # The receipt is used up: the same address asks again.
    assert urlsplit(browser.get(location)["Location"]).path == "/if/flow/default-authentication-flow/"


def test_old_logins_do_not_satisfy_max_age(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """A login older than the client allows is repeated; a young one is not."""  # S-440
    assert rp.code(browser, max_age="3600")
    session = bob.login_sessions.get()
    assert session.authenticated_at is not None
    session.authenticated_at = session.authenticated_at.replace(year=session.authenticated_at.year - 1)
    session.save()
    assert _refused_to(rp.authorize(browser, max_age="3600", prompt="none"))["error"] == "login_required"


def test_a_hint_about_somebody_else_asks_again(rp: RelyingParty, browser: Browser, mallory: User) -> None:
    """If the client expects another user than the one who is here, that one must log in."""  # S-442
    other = Browser()
    other.log_in_as(mallory)
    hint = rp.tokens(other)["id_token"]
    response = rp.authorize(browser, id_token_hint=hint)
    assert urlsplit(response["Location"]).path == "/if/flow/default-authentication-flow/"
    assert _refused_to(rp.authorize(browser, id_token_hint=hint, prompt="none"))["error"] == "login_required"
    assert rp.authorize(other, id_token_hint=hint)["Location"].startswith(CALLBACK)


def test_half_a_login_is_none(rp: RelyingParty, bob: User) -> None:
    """After naming oneself, without the password, the authorization endpoint still knows nobody."""  # S-513
    browser = Browser()
    page = rp.authorize(browser)["Location"]
    browser.walk(page, {"uid_field": "bob"})
    assert _refused_to(rp.authorize(browser, prompt="none"))["error"] == "login_required"


def test_consent_pages_cannot_be_framed_or_forged(register: Register, browser: Browser) -> None:
    """The consent page forbids framing; an answer without its token consents to nothing; scopes are not in the form."""
    # S-441
    rp = register(authorization_flow=EXPLICIT)
    page = rp.authorize(browser)["Location"]
    shown = browser.get(page)
    assert shown["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in shown["Content-Security-Policy"]
    assert 'name="scope"' not in shown.content.decode()
    browser.post(page, {"scope": "openid goauthentik.io/api"})
    assert urlsplit(rp.authorize(browser)["Location"]).path.startswith("/if/flow/")
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    forged = strict.post(page, {}, headers={"origin": "https://evil.test"})
    assert forged.status_code == 403


def test_clients_that_cannot_do_pkce_are_switched_off_by_name(rp: RelyingParty, browser: Browser) -> None:
    """Where PKCE is switched off for a confidential client, it gets a code without a challenge."""
    update_oauth2_provider(Actor.system(), rp.provider, require_pkce=False)
    code = rp.code(browser, code_challenge=None, code_challenge_method=None)
    assert rp.redeem(code, code_verifier=None).status_code == 200


def test_answers_carry_no_referrer_to_others(register: Register, browser: Browser) -> None:
    """Pages tell other sites nothing of the address they were opened under, and load nothing from them."""  # S-454
    rp = register(authorization_flow=EXPLICIT)
    shown = browser.get(rp.authorize(browser)["Location"])
    assert shown["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in shown["Content-Security-Policy"]
