"""``acr_values``, ``acr`` and the ``claims`` parameter: what a client can wish for, and what it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.stages.models import AuthenticatorValidateStage
from identity.authenticators.soft_key import SoftKey
from identity.factors import give_app, give_key
from identity.oauth2.conftest import EXPLICIT, Register
from identity.oauth2.relying_party import Browser, RelyingParty, fields_of, payload_of

ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "values": ["mfa"]}}})


def test_a_second_factor_is_said(rp: RelyingParty, bob: User) -> None:
    """Whoever has shown one reaches the class that the client asked for."""
    browser = Browser()
    browser.log_in_as(bob, ("pwd", "otp", "mfa"))
    token = payload_of(rp.tokens(browser, acr_values="phr mfa")["id_token"])
    assert (token["acr"], token["amr"]) == ("mfa", ["pwd", "otp", "mfa"])


def test_nobody_is_said_to_have_shown_more(rp: RelyingParty, browser: Browser) -> None:
    """Without a second factor a client that wishes for one has people log in again, and then hears the truth."""
    # S-440
    assert rp.authorize(browser, acr_values="mfa")["Location"].startswith("/if/flow/")
    assert payload_of(rp.tokens(browser)["id_token"])["acr"] == "goauthentik.io/providers/oauth2/default"


def test_silently_is_not_possible_then(rp: RelyingParty, browser: Browser) -> None:
    """``prompt=none`` cannot make a login stronger."""
    assert fields_of(rp.authorize(browser, acr_values="mfa", prompt="none")["Location"])["error"] == "login_required"


def test_step_up_goes_to_the_flow_for_it(register: Register, browser: Browser, bob: User) -> None:
    """A provider with a step-up flow sends people there instead of through the whole login; a client that must have
    the factor is refused a login that came through without."""
    flow = Flow.objects.create(
        name="Step-up", slug="step-up", title="Is it you?", designation=Flow.Designation.AUTHORIZATION
    )
    rp = register(step_up_flow=flow)
    # The flow is empty, so it is passed at once, and proves nothing.
    first = rp.authorize(browser, claims=ESSENTIAL)
    assert "/application/o/authorize/" in first["Location"]
    assert fields_of(browser.get(first["Location"])["Location"])["error"] == "unmet_authentication_requirements"
    # One who only wishes for it is told who is there, and how sure that is.
    second = rp.authorize(browser, acr_values="mfa")
    fields = fields_of(browser.get(second["Location"])["Location"])
    assert payload_of(rp.redeem(fields["code"]).json()["id_token"])["acr"] == "goauthentik.io/providers/oauth2/default"


def test_a_passkey_is_asked_for_where_only_a_passkey_will_do(register: Register, browser: Browser, bob: User) -> None:
    """A code that was shown a moment ago is no passkey: one is asked for, no other factor is offered, and whoever has
    shown one is through."""
    flow = Flow.objects.create(
        name="Step-up", slug="step-up", title="Is it you?", designation=Flow.Designation.AUTHORIZATION
    )
    stage = AuthenticatorValidateStage.objects.create(name="step-up", last_auth_threshold="hours=1")
    FlowStageBinding.objects.create(flow=flow, stage=stage, order=0)
    rp = register(step_up_flow=flow)
    give_app(bob)
    give_key(bob, SoftKey())
    browser.log_in_as(bob, ("pwd", "otp", "mfa"))

    assert fields_of(rp.authorize(browser, acr_values="mfa")["Location"])["code"]
    page = browser.get(rp.authorize(browser, acr_values="phr")["Location"]).content.decode()

    assert 'name="webauthn"' in page and 'name="code"' not in page
    browser.log_in_as(bob, ("user", "mfa"))
    assert fields_of(rp.authorize(browser, acr_values="phr")["Location"])["code"]


def test_claims_by_name(register: Register, browser: Browser) -> None:
    """Where ID tokens hold no claims, a client gets those that it names; and userinfo without the scope for them."""
    rp = register(include_claims_in_id_token=False)
    asked = {
        "id_token": {"email": {"essential": True}, "auth_time": None},
        "userinfo": {"preferred_username": None, "nobody_has_this": None},
    }
    tokens = rp.tokens(browser, scope="openid", claims=json.dumps(asked))
    token = payload_of(tokens["id_token"])
    assert token["email"] == "bob@example.test"
    assert "preferred_username" not in token
    assert "email" not in payload_of(tokens["access_token"])
    assert set(rp.userinfo(tokens["access_token"]).json()) == {"sub", "preferred_username"}


def test_only_what_the_mappings_could_tell(register: Register, browser: Browser) -> None:
    """A claim of a scope that the client cannot have is not to be had by its name."""
    rp = register(scope_mappings=list(ScopeMapping.objects.filter(scope_name="openid")))
    tokens = rp.tokens(browser, scope="openid", claims=json.dumps({"userinfo": {"email": {"essential": True}}}))
    assert set(rp.userinfo(tokens["access_token"]).json()) == {"sub"}


def test_they_survive_a_refresh(rp: RelyingParty, browser: Browser) -> None:
    """What was asked for by name is told again."""
    tokens = rp.tokens(browser, scope="openid offline_access", claims=json.dumps({"userinfo": {"email": None}}))
    renewed = rp.refresh(tokens["refresh_token"]).json()
    assert rp.userinfo(renewed["access_token"]).json()["email"] == "bob@example.test"


def test_consent_names_them(register: Register, browser: Browser) -> None:
    """People see on the consent page what is told beyond the scopes."""
    rp = register(authorization_flow=EXPLICIT)
    asked = rp.authorize(browser, scope="openid", claims=json.dumps({"userinfo": {"email": None}}))
    page = browser.get(asked["Location"]).content.decode()
    assert "email" in page.split("<main")[1]


def test_a_sub_is_whom_it_is_about(rp: RelyingParty, browser: Browser, bob: User, mallory: User) -> None:
    """A client that wants one user is not given another."""

    def about(user: User) -> Any:
        claims = json.dumps({"id_token": {"sub": {"value": user.uid}}})
        return fields_of(rp.authorize(browser, prompt="none", claims=claims)["Location"])

    assert "code" in about(bob)
    assert about(mallory)["error"] == "login_required"


@pytest.mark.parametrize(
    "claims",
    ["{", "[]", '"x"', '{"userinfo": []}', '{"id_token": {"acr": {"values": "mfa"}}}', '{"userinfo":' + "[" * 5000],
)
def test_malformed_claims_are_refused(rp: RelyingParty, browser: Browser, claims: str) -> None:
    """What is no claims request is an error at the client, and never one of ours."""
    assert fields_of(rp.authorize(browser, claims=claims)["Location"])["error"] == "invalid_request"
