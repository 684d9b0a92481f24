"""How clients prove who they are: the way that they are registered with, and no other."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from joserfc import jwk, jwt

from doorward.identity.egress import documents
from doorward.identity.oauth2.models import OAuth2Provider, UsedAssertion
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of

KEY = jwk.ECKey.generate_key("P-256", {"kid": "one"})
OTHER = jwk.ECKey.generate_key("P-256", {"kid": "one"})
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER = "https://auth.example.test/application/o/rp/"


@pytest.fixture
def signing(register: Register) -> RelyingParty:
    """A client with a key of its own."""
    return register(client_authentication="private_key_jwt", client_jwks={"keys": [KEY.as_dict(private=False)]})


def assertion(rp: RelyingParty, key: Any = KEY, alg: str = "ES256", **changes: Any) -> str:
    """What the client signs; ``changes`` of None leave a claim out."""
    own, now = rp.provider.client_id, int(time.time())
    claims = {"iss": own, "sub": own, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": uuid4().hex, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


def machine(rp: RelyingParty, signed: str, **more: str) -> Any:
    """A token for the client itself."""
    return rp.post(
        "token", grant_type="client_credentials", client_assertion_type=TYPE, client_assertion=signed, **more
    )


def test_a_signature_is_enough(signing: RelyingParty, browser: Browser) -> None:
    """Codes, machines, pushed requests, introspection: wherever a secret would be sent, and no client_id is needed."""
    assert machine(signing, assertion(signing)).status_code == 200
    code = signing.code(browser)
    redeemed = signing.redeem(code, client_secret=None, client_assertion_type=TYPE, client_assertion=assertion(signing))
    assert redeemed.status_code == 200
    asked = signing.post(
        "introspect",
        client_assertion_type=TYPE,
        client_assertion=assertion(signing),
        token=redeemed.json()["access_token"],
    )
    assert asked.json()["active"] is True
    pushed = signing.post("par", **signing.question(), client_assertion_type=TYPE, client_assertion=assertion(signing))
    assert pushed.status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://evil.test/"},
        {"aud": [ISSUER, "https://evil.test/"]},
        {"aud": []},
        {"aud": None},
        {"jti": None},
        {"jti": 7},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": int(time.time()) + 3600},
        {"exp": int(time.time()) - 120},
        {"nbf": int(time.time()) + 3600},
        {"iat": True},
        {"iss": "somebody"},
    ],
)
def test_what_it_must_say(signing: RelyingParty, changes: dict[str, Any]) -> None:
    """For us, short-lived, with an id of its own, about the client itself."""
    # S-436, S-433
    assert error_of(machine(signing, assertion(signing, **changes))) == (401, "invalid_client")


def test_about_itself_only(signing: RelyingParty, register: Register) -> None:
    """A client does not speak for another."""
    # S-436
    other = register("rp2")
    wrong = assertion(signing, sub=other.provider.client_id)
    assert error_of(machine(signing, wrong, client_id=signing.provider.client_id))[0] == 401
    right = assertion(signing)
    assert error_of(machine(signing, right, client_id=other.provider.client_id))[0] == 401


def test_an_assertion_works_once(signing: RelyingParty) -> None:
    """Whoever has seen one can do nothing with it."""
    # S-436
    signed = assertion(signing)
    assert machine(signing, signed).status_code == 200
    assert error_of(machine(signing, signed)) == (401, "invalid_client")
    assert UsedAssertion.objects.count() == 1


def test_its_own_key_only(signing: RelyingParty) -> None:
    """Another key, no signature at all, and the public key as a shared secret are all refused."""
    # S-429, S-430, S-436
    own, now = signing.provider.client_id, int(time.time())
    claims = {"iss": own, "sub": own, "aud": ISSUER, "exp": now + 60, "jti": uuid4().hex}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    shared = f"{header}.{body}"
    mac = hmac.digest(KEY.as_pem(private=False), shared.encode(), "sha256")
    confused = f"{shared}." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    forged = [assertion(signing, OTHER), f"{none}.{body}.", confused]
    assert {machine(signing, each).status_code for each in forged} == {401}


def test_the_secret_does_not_work_any_more(signing: RelyingParty) -> None:
    """A client that signs is not let in with less."""
    refused = signing.token(grant_type="client_credentials")
    assert error_of(refused) == (401, "invalid_client")


def test_two_ways_at_once_are_none(signing: RelyingParty) -> None:
    """A request that proves itself twice is malformed."""
    # S-416
    both = machine(signing, assertion(signing), client_secret="x" * 20)
    assert error_of(both) == (400, "invalid_request")


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_one_way_of_sending_a_secret(register: Register, way: str) -> None:
    """Where only Basic or only the body is chosen, the other is refused; discovery says which."""
    rp = register(client_authentication=way)
    pair = base64.b64encode(f"{rp.provider.client_id}:{rp.provider.client_secret}".encode()).decode()
    in_header = rp.post("token", {"authorization": f"Basic {pair}"}, grant_type="client_credentials").status_code
    in_body = rp.token(grant_type="client_credentials").status_code
    assert (in_header, in_body) == ((200, 401) if way == "client_secret_basic" else (401, 200))
    document = rp.back.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["token_endpoint_auth_methods_supported"] == [way]


def test_published_keys_are_fetched(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys at an address: fetched once, again for a key that is new, and not more often than every thirty seconds."""
    # S-447
    rp = register(client_authentication="private_key_jwt", client_jwks_uri="https://rp.example.test/jwks")
    published, asked = [KEY], list[str]()

    def fetch(url: str, private: bool) -> Any:
        asked.append(url)
        return {"keys": [key.as_dict(private=False) for key in published]}

    documents.forget()
    monkeypatch.setattr(documents, "_asked", fetch)
    assert machine(rp, assertion(rp)).status_code == 200
    assert machine(rp, assertion(rp)).status_code == 200
    assert len(asked) == 1
    new = jwk.ECKey.generate_key("P-256", {"kid": "two"})
    published.append(new)
    assert {machine(rp, assertion(rp, new)).status_code for _ in range(4)} == {401}
    assert len(asked) == 1
    monkeypatch.setattr(documents, "PAUSE", 0.0)
    assert machine(rp, assertion(rp, new)).status_code == 200
    assert len(asked) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"client_authentication": "private_key_jwt"},
        {"client_jwks": {"keys": []}},
        {"client_jwks": {"keys": [KEY.as_dict(private=True)]}},
        {"client_jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"client_jwks": {"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}},
        {"client_jwks_uri": "ftp://rp.example.test/jwks"},
        {"client_jwks_uri": "http://169.254.169.254/latest"},
        {"client_authentication": "private_key_jwt", "client_type": OAuth2Provider.ClientType.PUBLIC},
    ],
)
def test_what_cannot_work_is_not_saved(register: Register, fields: dict[str, Any]) -> None:
    """Private keys, no keys, shared secrets and addresses that may not be asked."""
    # S-650
    with pytest.raises(ValidationError):
        register(**fields)
