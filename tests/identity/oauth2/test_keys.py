"""Kinds of keys, encryption, typed tokens, and a new key that logs nobody out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from joserfc import jwe, jws
from joserfc.jwk import KeySet, RSAKey

from doorward.identity.crypto import actions as crypto
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.queries import signing_key
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.oauth2 import key_rotation, keys
from doorward.identity.oauth2.models import RetiringKey
from doorward.tokens.issuer_keys import Registry
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, payload_of


def a_key(algorithm: str, name: str = "key") -> CertificateKeyPair:
    return crypto.generate(Actor.system(), name=name, algorithm=algorithm)


def jwks(rp: RelyingParty) -> Any:
    """What the client finds published."""
    return rp.back.get("/application/o/rp/jwks/").json()


def minute_passes(provider_key: CertificateKeyPair) -> None:
    """The new key may sign now."""
    RetiringKey.objects.filter(key=provider_key).update(signs_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_each_kind_of_key_signs(register: Register, browser: Browser, algorithm: str) -> None:
    """An independent library finds the key by its kid and believes the signature; the algorithm is the key's own."""
    rp = register(signing_key=a_key(algorithm))
    token = rp.tokens(browser)["id_token"]
    published = KeySet.import_key_set(jwks(rp))
    registry = Registry(algorithms=[algorithm], strict_check_header=False)
    assert jws.deserialize_compact(token, published, registry=registry).headers()["alg"] == algorithm
    document = rp.back.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["id_token_signing_alg_values_supported"] == [algorithm]


def test_an_imported_key_keeps_its_kind(flows: None) -> None:
    """P-384 in, ES384 out."""
    made = a_key("ES384")
    pem, key = made.certificate_pem, made.private_key_pem
    made.delete()
    taken = crypto.import_pair(Actor.system(), name="theirs", certificate_pem=pem, private_key_pem=key)
    assert taken.algorithm == "ES384"


def test_encrypted_tokens(register: Register, browser: Browser, bob: User) -> None:
    """Only whoever has the private key reads them; userinfo, introspection, refresh and hints work all the same."""
    pair = a_key("RS256")
    rp = register(encryption_key=pair)
    tokens = rp.tokens(browser, scope="openid profile offline_access")
    opened = {}
    for name in ("id_token", "access_token"):
        found = jwe.decrypt_compact(
            tokens[name], RSAKey.import_key(pair.private_key_pem), algorithms=["RSA-OAEP-256", "A256CBC-HS512"]
        )
        assert found.headers()["cty"] == "JWT"
        opened[name] = payload_of((found.plaintext or b"").decode())
    assert opened["id_token"]["sub"] == opened["access_token"]["sub"] == bob.uid
    assert rp.userinfo(tokens["access_token"]).json()["preferred_username"] == "bob"
    assert rp.introspect(tokens["access_token"])["active"] is True
    assert rp.refresh(tokens["refresh_token"]).status_code == 200
    document = rp.back.get("/application/o/rp/.well-known/openid-configuration").json()
    assert document["id_token_encryption_alg_values_supported"] == ["RSA-OAEP-256"]
    assert rp.authorize(browser, prompt="none", id_token_hint=tokens["id_token"])["Location"].startswith(
        rp.redirect_uri
    )


def test_only_rsa_encrypts(register: Register) -> None:
    """A key that cannot is refused when it is chosen."""
    with pytest.raises(ValidationError):
        register(encryption_key=a_key("ES256"))


def test_typed_access_tokens(register: Register, browser: Browser) -> None:
    """RFC 9068 where it is switched on: a type of its own, and who the client is."""
    rp = register(typed_access_tokens=True)
    tokens = rp.tokens(browser)
    published = KeySet.import_key_set(jwks(rp))
    assert jws.deserialize_compact(tokens["access_token"], published).headers()["typ"] == "at+jwt"
    assert jws.deserialize_compact(tokens["id_token"], published).headers()["typ"] == "JWT"
    assert payload_of(tokens["access_token"])["client_id"] == rp.provider.client_id
    assert rp.userinfo(tokens["access_token"]).status_code == 200


def test_a_refresh_token_that_lasts_is_kept(register: Register, browser: Browser) -> None:
    """With a threshold the client keeps its refresh token until the end is near; then it gets another."""
    scope = "openid offline_access"
    kept = register(refresh_token_threshold="days=1")
    tokens = kept.tokens(browser, scope=scope)
    again = kept.refresh(tokens["refresh_token"]).json()
    assert again["refresh_token"] == tokens["refresh_token"]
    assert kept.userinfo(again["access_token"]).status_code == 200
    renewed = register("rp2", refresh_token_threshold="days=31")
    tokens = renewed.tokens(browser, scope=scope)
    assert renewed.refresh(tokens["refresh_token"]).json()["refresh_token"] != tokens["refresh_token"]


def test_rotation_logs_nobody_out(rp: RelyingParty, browser: Browser) -> None:
    """The new key is published before it signs; what the old one signed is good until it dies, then it goes."""
    # S-446
    old = signing_key()
    before = rp.tokens(browser)
    new = key_rotation.rotate(Actor.system(), old)
    assert {key["kid"] for key in jwks(rp)["keys"]} == {old.kid, new.kid}
    assert signing_key() == new
    assert rp.userinfo(before["access_token"]).status_code == 200
    rp.provider.refresh_from_db()
    during = rp.tokens(browser)
    assert jws.extract_compact(during["id_token"].encode()).headers()["kid"] == old.kid
    minute_passes(old)
    after = rp.tokens(browser)
    assert jws.extract_compact(after["id_token"].encode()).headers()["kid"] == new.kid
    assert rp.userinfo(during["access_token"]).status_code == 200
    RetiringKey.objects.update(published_until=timezone.now() - timedelta(seconds=1))
    assert [key["kid"] for key in jwks(rp)["keys"]] == [new.kid]
    assert Event.objects.filter(action="secret_rotate").count() == 1


def test_a_removed_key_ends_its_tokens(rp: RelyingParty, browser: Browser) -> None:
    """Who deletes the old key does not want to believe it any longer."""
    # S-446
    tokens = rp.tokens(browser)
    old = signing_key()
    key_rotation.rotate(Actor.system(), old)
    old.refresh_from_db()
    crypto.delete_pair(Actor.system(), old)
    assert rp.userinfo(tokens["access_token"]).status_code == 401


def test_outposts_follow(rp: RelyingParty) -> None:
    """The data plane is told both keys, so that no login fails in between; their ids are never used again."""
    # S-446
    old = signing_key()
    once = key_rotation.rotate(Actor.system(), old)
    twice = key_rotation.rotate(Actor.system(), once)
    rp.provider.refresh_from_db()
    told = [key.kid for key in keys.verification_keys(rp.provider)]
    assert told == [old.kid, twice.kid]
    assert len({old.kid, once.kid, twice.kid}) == 3


def test_the_longest_token_counts(register: Register, browser: Browser) -> None:
    """A key stays for tokens that were issued when they still lived longer."""
    rp = register(access_token_validity="hours=5")
    rp.tokens(browser)
    rp.provider.access_token_validity = "minutes=5"
    rp.provider.save()
    key_rotation.rotate(Actor.system(), signing_key())
    assert RetiringKey.objects.get().published_until > timezone.now() + timedelta(hours=4)
