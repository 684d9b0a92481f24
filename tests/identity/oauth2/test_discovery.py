"""What a client can read about its issuer."""

from __future__ import annotations

import pytest

from doorward.identity.oauth2 import hints
from doorward.identity.oauth2.issuer import endpoints_of
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, payload_of

BASE = "https://auth.example.test/application/o/"


def test_the_document_is_true(rp: RelyingParty) -> None:
    """Every endpoint is where the document says, and nothing is promised that we do not do."""  # C5 S-410 S-438
    response = rp.back.get("/application/o/rp/.well-known/openid-configuration")
    document = response.json()
    assert document["issuer"] == f"{BASE}rp/"
    assert document["authorization_endpoint"] == f"{BASE}authorize/"
    assert document["token_endpoint"] == f"{BASE}token/"
    assert document["userinfo_endpoint"] == f"{BASE}userinfo/"
    assert document["introspection_endpoint"] == f"{BASE}introspect/"
    assert document["revocation_endpoint"] == f"{BASE}revoke/"
    assert document["end_session_endpoint"] == f"{BASE}rp/end-session/"
    assert document["jwks_uri"] == f"{BASE}rp/jwks/"
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["request_parameter_supported"] is False
    assert "offline_access" in document["scopes_supported"]
    assert b'\n  "issuer"' in response.content


def test_the_issuers_address_leads_to_the_document(rp: RelyingParty) -> None:
    """The bare issuer redirects to its document; an unknown application is 404."""
    response = rp.back.get("/application/o/rp/")
    assert response["Location"] == "/application/o/rp/.well-known/openid-configuration"
    assert rp.back.get("/application/o/unknown/.well-known/openid-configuration").status_code == 404


@pytest.mark.parametrize(
    "headers", [{"host": "evil.test"}, {"x-forwarded-host": "evil.test"}, {"forwarded": "host=evil.test"}]
)
def test_nobody_else_chooses_the_issuer(rp: RelyingParty, headers: dict[str, str]) -> None:
    """Whatever name the request came under, the configured issuer answers, or nobody."""  # S-445
    response = rp.back.get("/application/o/rp/.well-known/openid-configuration", headers=headers)
    assert "evil.test" not in response.content.decode()
    assert response.status_code in {400, 404, 421} or response.json()["issuer"] == f"{BASE}rp/"


def test_published_keys_are_public(rp: RelyingParty) -> None:
    """No private member of a key leaves the database."""  # S-445
    (key,) = rp.back.get("/application/o/rp/jwks/").json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "use", "alg", "kid"}


def test_tokens_without_a_signing_key_are_signed_with_the_secret(register: Register, browser: Browser) -> None:
    """Such a client has an empty key set and HS256; its tokens work as hints all the same."""
    rp = register(signing_key=None)
    assert rp.back.get("/application/o/rp/jwks/").json() == {}
    document = rp.back.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["id_token_signing_alg_values_supported"] == ["HS256"]
    tokens = rp.tokens(browser)
    assert rp.userinfo(tokens["access_token"]).status_code == 200
    assert hints.read(tokens["id_token"], rp.provider) is not None


def test_one_issuer_for_all(register: Register, browser: Browser) -> None:
    """In global mode the issuer is the installation itself."""
    rp = register(issuer_mode="global")
    assert endpoints_of(rp.provider).issuer == "https://auth.example.test/"
    assert payload_of(rp.tokens(browser)["id_token"])["iss"] == "https://auth.example.test/"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://rp.example.test", True),
        ("https://evil.test", False),
        ("null", False),
        ("http://rp.example.test", False),
    ],
)
def test_only_the_clients_own_pages_may_read(rp: RelyingParty, browser: Browser, origin: str, allowed: bool) -> None:
    """Answers can be read across origins by the client's own origins only, and never with credentials."""  # S-451
    tokens = rp.tokens(browser)
    headers = {"origin": origin}
    bearer = {**headers, "authorization": f"Bearer {tokens['access_token']}"}
    answers = [
        rp.back.get("/application/o/userinfo/", headers=bearer),
        rp.back.get("/application/o/rp/jwks/", headers=headers),
        rp.back.get("/application/o/rp/.well-known/openid-configuration", headers=headers),
        rp.back.options("/application/o/token/", headers=headers),
        rp.back.options("/application/o/userinfo/", headers=headers),
        rp.post("token", headers, client_id=rp.provider.client_id, grant_type="authorization_code"),
    ]
    for answer in answers:
        assert answer.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Origin" in answer["Vary"]
