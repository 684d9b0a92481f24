"""Machines that get tokens without a browser."""

from __future__ import annotations

import base64

from doorward.identity.applications.models import Application
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.policies.actions import bind
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import RelyingParty, error_of, payload_of

SYSTEM = Actor.system()
INVALID_CLIENT = (401, "invalid_client")


def _app_password(user: User) -> str:
    _, key = directory.create_token(
        SYSTEM, user=user, identifier="script", intent=Token.Intent.APP_PASSWORD, expiring=False
    )
    return key


def test_a_client_acts_as_its_own_service_account(rp: RelyingParty) -> None:
    """With its secret alone a client gets tokens about an account that is made for it once."""
    for _ in range(2):
        response = rp.token(grant_type="client_credentials", scope="openid profile")
        assert response.status_code == 200, response.content
    account = User.objects.get(username="ak-rp-client_credentials")
    assert account.type == User.Type.SERVICE_ACCOUNT
    tokens = response.json()
    assert payload_of(tokens["access_token"])["preferred_username"] == account.username
    assert "refresh_token" not in tokens
    assert rp.introspect(tokens["access_token"])["active"] is True


def test_a_disabled_service_account_gets_nothing(rp: RelyingParty) -> None:
    """Switched off means off."""  # S-420
    tokens = rp.token(grant_type="client_credentials").json()
    directory.update_user(SYSTEM, User.objects.get(username="ak-rp-client_credentials"), is_active=False)
    assert error_of(rp.token(grant_type="client_credentials")) == INVALID_CLIENT
    assert rp.introspect(tokens["access_token"]) == {"active": False}


def test_a_person_of_that_name_is_not_the_client(rp: RelyingParty) -> None:
    """Whoever registered the account's name first does not lend the client an identity."""
    directory.create_user(SYSTEM, username="ak-rp-client_credentials")
    assert error_of(rp.token(grant_type="client_credentials")) == INVALID_CLIENT


def test_app_passwords_work_and_login_passwords_do_not(rp: RelyingParty, bob: User, password: str) -> None:
    """A person's app password needs no client secret; the password people log in with is never taken."""  # C17
    key = _app_password(bob)
    form = {"client_secret": None, "username": "bob", "scope": "openid profile"}
    for grant_type in ("client_credentials", "password"):
        good = rp.token(grant_type=grant_type, password=key, **form)
        assert good.status_code == 200, good.content
        assert payload_of(good.json()["id_token"])["sub"] == bob.uid
        assert error_of(rp.token(grant_type=grant_type, password=password, **form)) == INVALID_CLIENT
    wrong_user = {**form, "username": "mallory"}
    assert error_of(rp.token(grant_type="password", password=key, **wrong_user)) == INVALID_CLIENT
    wrong_secret = {**form, "client_secret": "wrong"}
    assert error_of(rp.token(grant_type="password", password=key, **wrong_secret)) == INVALID_CLIENT


def test_api_tokens_are_no_app_passwords(rp: RelyingParty, bob: User) -> None:
    """A token for the API opens the API only."""
    _, key = directory.create_token(SYSTEM, user=bob, identifier="api", intent=Token.Intent.API, expiring=False)
    refused = rp.token(grant_type="password", client_secret=None, username="bob", password=key)
    assert error_of(refused) == INVALID_CLIENT


def test_user_and_app_password_may_hide_in_the_secret(rp: RelyingParty, bob: User) -> None:
    """Programs that know only two fields send both in the client secret."""
    secret = base64.b64encode(f"bob:{_app_password(bob)}".encode()).decode()
    tokens = rp.token(grant_type="client_credentials", client_secret=secret, scope="openid").json()
    assert payload_of(tokens["id_token"])["sub"] == bob.uid


def test_machines_get_allowed_scopes_only(register: Register) -> None:
    """What the client is not configured for is not granted, whatever it asks for."""  # S-419
    rp = register(scope_mappings=list(ScopeMapping.objects.filter(scope_name__in=["openid", "offline_access"])))
    tokens = rp.token(grant_type="client_credentials", scope="openid offline_access ak_proxy goauthentik.io/api").json()
    assert tokens["scope"] == "openid"


def test_machines_stand_under_the_applications_policies(rp: RelyingParty, bob: User, staff: Group) -> None:
    """An account that the application is not open to is denied, also without a browser."""  # S-421
    bind(SYSTEM, Application.objects.get(slug="rp"), group=staff)
    assert error_of(rp.token(grant_type="client_credentials")) == (403, "access_denied")
    key = _app_password(bob)
    assert rp.token(grant_type="password", client_secret=None, username="bob", password=key).status_code == 200
    directory.remove_member(SYSTEM, staff, bob)
    refused = rp.token(grant_type="password", client_secret=None, username="bob", password=key)
    assert error_of(refused) == (403, "access_denied")


def test_public_clients_are_no_machines(register: Register) -> None:
    """Anybody can say that they are a public client."""
    rp = register(client_type="public")
    assert error_of(rp.token(grant_type="client_credentials")) == (400, "unauthorized_client")
