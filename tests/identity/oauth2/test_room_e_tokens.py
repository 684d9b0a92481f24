"""Room E of the security contract: tokens after they were issued: refreshed, shown, introspected, revoked, forged."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError
from django.utils import timezone

from doorward.identity.applications.models import Application, Consent
from doorward.identity.crypto import actions as crypto
from doorward.identity.crypto.queries import signing_key
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.actions import end_all_of
from doorward.identity.oauth2 import actions, scopes, signing
from doorward.identity.oauth2.models import IssuedToken, RetiringKey, ScopeMapping
from doorward.identity.policies.actions import bind
from identity import proxied
from identity.oauth2.conftest import EXPLICIT, Register
from identity.oauth2.relying_party import Browser, RelyingParty, error_of, payload_of

SYSTEM = Actor.system()
OFFLINE = "openid profile offline_access"
INVALID_GRANT = (400, "invalid_grant")


def test_refresh_tokens_rotate(rp: RelyingParty, browser: Browser) -> None:
    """Each refresh gives a new refresh token and the same subject; the family's end does not move."""
    first = rp.tokens(browser, scope=OFFLINE)
    end = IssuedToken.objects.get(kind="refresh").expires
    second = rp.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert payload_of(second["id_token"])["sub"] == payload_of(first["id_token"])["sub"]
    assert payload_of(second["id_token"])["auth_time"] == payload_of(first["id_token"])["auth_time"]
    assert IssuedToken.objects.get(kind="refresh", revoked=False).expires == end


def test_an_old_refresh_token_ends_the_family(rp: RelyingParty, browser: Browser) -> None:
    """Who presents a rotated token is the thief or the robbed: everything of that authorization ends, with an event."""
    # S-424
    first = rp.tokens(browser, scope=OFFLINE)
    second = rp.refresh(first["refresh_token"]).json()
    assert error_of(rp.refresh(first["refresh_token"])) == INVALID_GRANT
    assert error_of(rp.refresh(second["refresh_token"])) == INVALID_GRANT
    assert rp.userinfo(second["access_token"]).status_code == 401
    assert Event.objects.filter(action="suspicious_request").exists()


def test_refreshing_never_widens(rp: RelyingParty, browser: Browser) -> None:
    """More than was granted is invalid_scope; less is fine; what the client lost since then is gone."""  # S-419
    tokens = rp.tokens(browser, scope=OFFLINE)
    assert error_of(rp.refresh(tokens["refresh_token"], scope="openid ak_proxy")) == (400, "invalid_scope")
    narrowed = rp.refresh(tokens["refresh_token"], scope="openid offline_access").json()
    assert narrowed["scope"].split() == ["openid", "offline_access"]
    rp.provider.scope_mappings.remove(ScopeMapping.objects.get(scope_name="openid"))
    assert rp.refresh(narrowed["refresh_token"]).json()["scope"] == "offline_access"


def test_a_refresh_token_is_its_clients(register: Register, browser: Browser) -> None:
    """Another client gets nothing for it."""
    tokens = register("rp").tokens(browser, scope=OFFLINE)
    assert error_of(register("rp2").refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_access_tokens_do_not_refresh(rp: RelyingParty, browser: Browser) -> None:
    """Nor do refresh tokens open userinfo."""
    tokens = rp.tokens(browser, scope=OFFLINE)
    assert error_of(rp.refresh(tokens["access_token"])) == INVALID_GRANT
    assert rp.userinfo(tokens["refresh_token"]).status_code == 401


def test_deactivation_ends_every_token(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """A deactivated user's tokens are dead at once, all of them."""  # S-425 C15
    tokens = rp.tokens(browser, scope=OFFLINE)
    directory.update_user(SYSTEM, bob, is_active=False)
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert rp.introspect(tokens["access_token"]) == {"active": False}


def test_a_lost_group_ends_tokens(rp: RelyingParty, browser: Browser, bob: User, staff: Group) -> None:
    """Who may no longer enter the application cannot refresh either."""  # S-421 S-425
    bind(SYSTEM, Application.objects.get(slug="rp"), group=staff)
    tokens = rp.tokens(browser, scope=OFFLINE)
    directory.remove_member(SYSTEM, staff, bob)
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert rp.userinfo(tokens["access_token"]).status_code == 401


def test_withdrawn_consent_ends_tokens(register: Register, browser: Browser) -> None:
    """Deleting a consent takes what it had led to along."""  # S-425
    rp = register(authorization_flow=EXPLICIT)
    page = rp.authorize(browser, scope=OFFLINE)["Location"]
    browser.walk(page, {})
    tokens = rp.tokens(browser, scope=OFFLINE)
    actions.withdraw_consent(SYSTEM, Consent.objects.get())
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert not Consent.objects.exists()


def test_a_new_password_ends_refresh_tokens(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """Whoever changes the password ends what others might hold."""  # S-425 S-520
    tokens = rp.tokens(browser, scope=OFFLINE)
    directory.set_password(SYSTEM, bob, "another horse battery staple")
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_logging_out_ends_access_but_not_offline_access(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """The end of the login ends its access tokens; a refresh token is for when nobody is logged in."""  # S-425
    tokens = rp.tokens(browser, scope=OFFLINE)
    end_all_of(SYSTEM, bob)
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    renewed = rp.refresh(tokens["refresh_token"]).json()
    assert "sid" not in payload_of(renewed["access_token"])
    assert rp.userinfo(renewed["access_token"]).status_code == 200


def test_who_acts_as_somebody_takes_no_offline_access_along(
    rp: RelyingParty, browser: Browser, akadmin: User, bob: User
) -> None:
    """Tokens of the act end with it; there is none that would outlive it."""  # S-534
    bob.login_sessions.update(impersonator=akadmin, original=proxied.log_in(akadmin))
    tokens = rp.tokens(browser, scope=OFFLINE)
    assert tokens["scope"] == "openid profile"
    assert not tokens.get("refresh_token")
    assert rp.userinfo(tokens["access_token"]).status_code == 200


def test_reactivation_revives_nothing(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """What ended with the deactivation stays ended, tokens without a login included."""  # S-425 C15
    refresh_token = rp.tokens(browser, scope=OFFLINE)["refresh_token"]
    directory.update_user(SYSTEM, bob, is_active=False)
    directory.update_user(SYSTEM, bob, is_active=True)
    assert error_of(rp.refresh(refresh_token)) == INVALID_GRANT


def test_revoke_for_user_and_login(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """The two actions by which other rooms end tokens do what they say."""
    tokens = rp.tokens(browser, scope=OFFLINE)
    actions.revoke_for_login(bob.login_sessions.get().sid)
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert rp.introspect(tokens["refresh_token"])["active"] is True
    actions.revoke_for_user(bob)
    assert rp.introspect(tokens["refresh_token"]) == {"active": False}


def test_introspection_is_for_the_clients_own_tokens(register: Register, browser: Browser) -> None:
    """Without authentication 401, for a public client 401, about another client's token nothing."""  # S-426
    rp, other, public = register("rp"), register("rp2"), register("rp3", client_type="public")
    token = rp.tokens(browser)["access_token"]
    assert error_of(rp.post("introspect", token=token, client_id=rp.provider.client_id)) == (401, "invalid_client")
    assert error_of(rp.post("introspect", token=token, client_id=public.provider.client_id)) == (401, "invalid_client")
    assert error_of(rp.post("introspect", token=token)) == (401, "invalid_client")
    assert other.introspect(token) == {"active": False}
    assert rp.introspect("made-up") == {"active": False}
    answer = rp.introspect(token)
    assert answer["active"] is True
    assert answer["client_id"] == rp.provider.client_id
    assert answer["preferred_username"] == "bob"
    assert answer["iss"] == "https://auth.example.test/application/o/rp/"


def test_revoking_a_refresh_token_ends_its_access_tokens(rp: RelyingParty, browser: Browser) -> None:
    """Unknown tokens and other clients' are answered alike, and nothing happens to them."""  # S-427
    tokens = rp.tokens(browser, scope=OFFLINE)
    credentials = {"client_id": rp.provider.client_id, "client_secret": rp.provider.client_secret}
    assert rp.post("revoke", token="made-up", **credentials).json() == {}
    assert error_of(rp.post("revoke", token=tokens["refresh_token"], client_id=rp.provider.client_id))[0] == 401
    assert rp.userinfo(tokens["access_token"]).status_code == 200
    response = rp.post("revoke", token=tokens["refresh_token"], **credentials)
    assert (response.status_code, response.json()) == (200, {})
    assert rp.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(rp.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_public_clients_revoke_their_own(register: Register, browser: Browser) -> None:
    """With their id alone; another client's token stays."""
    rp, other = register("rp", client_type="public"), register("rp2")
    token, foreign = rp.tokens(browser)["access_token"], other.tokens(browser)["access_token"]
    for text in (token, foreign):
        assert rp.post("revoke", token=text, client_id=rp.provider.client_id).status_code == 200
    assert rp.userinfo(token).status_code == 401
    assert other.userinfo(foreign).status_code == 200


def test_a_failed_revocation_is_not_called_a_success(rp: RelyingParty, browser: Browser) -> None:
    """If the database does not take it, the client must not believe that the token is gone."""  # S-427
    token = rp.tokens(browser)["access_token"]
    rp.back.raise_request_exception = False
    with patch("django.db.models.query.QuerySet.update", side_effect=DatabaseError):
        response = rp.post(
            "revoke", token=token, client_id=rp.provider.client_id, client_secret=rp.provider.client_secret
        )
    assert response.status_code == 500


def test_userinfo_takes_access_tokens_only(rp: RelyingParty, browser: Browser) -> None:
    """Not an ID token, not an expired one, not one without openid, not one in the address."""  # S-428
    tokens = rp.tokens(browser)
    refused = rp.userinfo(tokens["id_token"])
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused["WWW-Authenticate"]
    in_query = rp.back.get(f"/application/o/userinfo/?access_token={tokens['access_token']}")
    assert in_query.status_code == 401
    assert rp.post("userinfo", access_token=tokens["access_token"]).status_code == 200
    without = rp.tokens(browser, scope="email")
    assert "id_token" not in without
    insufficient = rp.userinfo(without["access_token"])
    assert insufficient.status_code == 403
    assert 'error="insufficient_scope"' in insufficient["WWW-Authenticate"]
    IssuedToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert rp.userinfo(tokens["access_token"]).status_code == 401


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _with_hmac(payload: str, secret: str) -> str:
    signed = f"{_part({'alg': 'HS256', 'kid': signing_key().kid})}.{payload}"
    mac = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _forgeries(token: str) -> dict[str, str]:
    header, payload, signature = token.split(".")
    return {
        "none": f"{_part({'alg': 'none'})}.{payload}.",  # S-429
        "None": f"{_part({'alg': 'nOnE', 'typ': 'JWT'})}.{payload}.{signature}",  # S-429
        "hs256 with the public key": _with_hmac(payload, signing_key().certificate_pem),  # S-430
        "kid is a path": f"{_part({'alg': 'ES256', 'kid': '../../etc/passwd'})}.{payload}.{signature}",  # S-431
        "jwk inside": f"{_part({'alg': 'ES256', 'jwk': {'kty': 'EC'}})}.{payload}.{signature}",  # S-431
        "crit": f"{_part({'alg': 'ES256', 'crit': ['x'], 'kid': signing_key().kid})}.{payload}.{signature}",  # S-432
        "zero signature": f"{header}.{payload}.{'A' * 86}",  # S-435
        "cut": token[:-2],  # S-435
        "appended": f"{token}AA",  # S-435
        "prefix": token[: len(token) // 2],  # S-435
        "long": f"{token}{'A' * (1 << 17)}",  # S-434
        "jwe": f"{_part({'alg': 'PBES2-HS256+A128KW', 'p2c': 10**9, 'enc': 'A256GCM'})}.a.b.c.d",  # S-434
    }


def test_forged_tokens_open_nothing(rp: RelyingParty, browser: Browser) -> None:
    """No forgery is taken as access token, as token to introspect, or as hint."""
    # S-429 S-430 S-431 S-432 S-434 S-435
    from doorward.identity.oauth2 import hints

    tokens = rp.tokens(browser)
    assert hints.read(tokens["id_token"], rp.provider) is not None
    for name, forged in _forgeries(tokens["access_token"]).items():
        if len(forged) < 10_000:
            assert rp.userinfo(forged).status_code == 401, name
        assert rp.introspect(forged) == {"active": False}, name
        assert hints.read(forged, rp.provider) is None, name


def test_keys_are_published_before_they_sign(rp: RelyingParty, browser: Browser) -> None:
    """A new key is published first and signs a minute later; the old one stays until its last token has died."""
    # S-446
    old, new = signing_key(), crypto.generate(SYSTEM, name="next", algorithm="RS256")
    actions.update_oauth2_provider(SYSTEM, rp.provider, signing_key=new)
    published = {key["kid"] for key in rp.back.get("/application/o/rp/jwks/").json()["keys"]}
    assert published == {old.kid, new.kid}
    early = rp.tokens(browser)["access_token"]
    assert signing.signer_of(rp.provider).kid == old.kid
    assert rp.userinfo(early).status_code == 200
    RetiringKey.objects.update(signs_until=timezone.now())
    assert signing.signer_of(rp.provider).alg == "RS256"
    later = rp.tokens(browser)["access_token"]
    assert rp.userinfo(later).status_code == 200
    assert rp.userinfo(early).status_code == 200
    RetiringKey.objects.update(published_until=timezone.now())
    assert len(rp.back.get("/application/o/rp/jwks/").json()["keys"]) == 1


def test_a_removed_key_refuses_its_tokens_at_once(rp: RelyingParty, browser: Browser) -> None:
    """Once a key is no longer published, what it signed is worth nothing here."""  # S-446
    token = rp.tokens(browser)["access_token"]
    rp.provider.signing_key = crypto.generate(SYSTEM, name="next")
    rp.provider.save()
    assert rp.userinfo(token).status_code == 401
    assert rp.introspect(token) == {"active": False}


def test_mappings_cannot_speak_for_the_issuer(
    rp: RelyingParty, browser: Browser, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapping that tries to say whom a token is about or for is not heard, and an event tells."""  # S-448
    ScopeMapping.objects.create(managed="test/evil", name="evil", scope_name="evil")
    rp.provider.scope_mappings.add(ScopeMapping.objects.get(managed="test/evil"))
    lies: dict[str, Any] = dict.fromkeys(("iss", "aud", "exp", "iat", "sub", "nonce", "azp", "at_hash"), "evil")
    monkeypatch.setitem(scopes.CLAIM_SETS, "test/evil", lambda person: {**lies, "shoe_size": 43})
    tokens = rp.tokens(browser, scope="openid evil")
    claims = payload_of(tokens["id_token"])
    assert claims["shoe_size"] == 43
    assert claims["sub"] == bob.uid
    assert "evil" not in {claims[name] for name in lies}
    assert rp.userinfo(tokens["access_token"]).json() == {"sub": bob.uid, "shoe_size": 43}
    assert Event.objects.filter(action="configuration_warning").exists()


def test_renaming_keeps_the_subject(rp: RelyingParty, browser: Browser, bob: User) -> None:
    """The default subject survives a new name, and no later user ever gets it."""  # S-449
    before = payload_of(rp.tokens(browser)["id_token"])["sub"]
    directory.update_user(SYSTEM, bob, username="robert")
    assert payload_of(rp.tokens(browser)["id_token"])["sub"] == before
    directory.delete_user(SYSTEM, bob)
    successor = directory.create_user(SYSTEM, username="bob", password="correct horse battery staple")
    other = Browser()
    other.log_in_as(successor)
    assert payload_of(rp.tokens(other)["id_token"])["sub"] != before
