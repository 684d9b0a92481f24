"""Tokens through the browser: only for clients whose grant types name implicit or hybrid."""

from __future__ import annotations

import pytest

from doorward.identity.directory.models import User
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken
from doorward.tokens.openid import token_hash
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, fields_of, payload_of

ALL = ["authorization_code", "refresh_token", "implicit", "hybrid"]
IN_FRONT = ["id_token", "id_token token", "code token", "code id_token", "code id_token token"]


@pytest.fixture
def old(register: Register) -> RelyingParty:
    """A client that may ask for everything."""
    return register(grant_types=ALL)


@pytest.mark.parametrize("response_type", IN_FRONT)
def test_each_brings_what_it_names(old: RelyingParty, browser: Browser, bob: User, response_type: str) -> None:
    """In the fragment, with hashes that bind them together, and the nonce in the ID token."""
    # S-439
    location = old.authorize(browser, response_type=response_type)["Location"]
    assert "#" in location
    assert "?" not in location
    fields = fields_of(location)
    assert (fields["state"], fields["iss"]) == (old.state, "https://auth.example.test/application/o/rp/")
    wanted = set(response_type.split())
    assert {"code", "id_token"} & fields.keys() == wanted - {"token"}
    assert ("access_token" in fields) == ("token" in wanted)
    if "id_token" in wanted:
        claims = payload_of(fields["id_token"])
        assert (claims["nonce"], claims["sub"]) == (old.nonce, bob.uid)
        assert claims.get("c_hash") == (token_hash(fields["code"], "ES256") if "code" in wanted else None)
        assert claims.get("at_hash") == (token_hash(fields["access_token"], "ES256") if "token" in wanted else None)
    if "token" in wanted:
        assert old.userinfo(fields["access_token"]).json()["preferred_username"] == "bob"
    if "code" in wanted:
        assert old.redeem(fields["code"]).status_code == 200


@pytest.mark.parametrize("response_type", IN_FRONT)
def test_most_clients_get_codes_only(rp: RelyingParty, browser: Browser, response_type: str) -> None:
    """Nothing else unless the provider's grant types say so."""
    assert fields_of(rp.authorize(browser, response_type=response_type)["Location"])["error"] == (
        "unsupported_response_type"
    )
    assert not IssuedToken.objects.exists()


def test_discovery_says_which(old: RelyingParty, register: Register, browser: Browser) -> None:
    """Six where all are allowed, one where none is."""
    register("plain")
    document = browser.get("/application/o/rp/.well-known/openid-configuration").json()
    assert sorted(document["response_types_supported"]) == sorted(["code", *IN_FRONT])
    document = browser.get("/application/o/plain/.well-known/openid-configuration").json()
    assert document["response_types_supported"] == ["code"]


def test_never_in_the_query(old: RelyingParty, browser: Browser) -> None:
    """Tokens in a query end up in logs."""
    # S-454
    fields = fields_of(old.authorize(browser, response_type="code id_token", response_mode="query")["Location"])
    assert fields["error"] == "invalid_request"


def test_a_nonce_is_needed(old: RelyingParty, browser: Browser) -> None:
    """An ID token from the browser could be somebody else's without it."""
    # S-439
    assert fields_of(old.authorize(browser, response_type="id_token", nonce=None)["Location"])["error"] == (
        "invalid_request"
    )


def test_openid_is_needed(old: RelyingParty, browser: Browser) -> None:
    """There is no ID token without the scope."""
    fields = fields_of(old.authorize(browser, response_type="code id_token", scope="email")["Location"])
    assert fields["error"] == "invalid_scope"


def test_no_offline_access_without_a_code(old: RelyingParty, browser: Browser) -> None:
    """A refresh token is never given through the browser."""
    fields = fields_of(
        old.authorize(browser, response_type="id_token token", scope="openid offline_access")["Location"]
    )
    assert fields["scope"] == "openid"


def test_the_code_and_its_tokens_end_together(old: RelyingParty, browser: Browser) -> None:
    """Replaying the code of a hybrid answer takes the token that came with it away."""
    # S-411
    fields = fields_of(old.authorize(browser, response_type="code token")["Location"])
    assert old.redeem(fields["code"]).status_code == 200
    assert old.redeem(fields["code"]).status_code == 400
    assert old.userinfo(fields["access_token"]).status_code == 401
    assert AuthorizationCode.objects.count() == 1
