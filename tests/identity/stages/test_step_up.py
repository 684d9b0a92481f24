"""Step-up: one application asks whoever is logged in for a second factor, by its authorization flow."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.policies.actions import bind
from doorward.identity.stages.models import AuthenticatorValidateStage
from identity.factors import code_at, give_app
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db

AUTHORIZE = "/application/o/authorize/"


@pytest.fixture
def step_up(whoami: Any) -> FlowStageBinding:
    """whoami's own authorization flow: a factor that was shown within the hour, and nobody without one."""
    flow = Flow.objects.create(
        name="step-up",
        slug="step-up",
        title="Is it you?",
        designation=Flow.Designation.AUTHORIZATION,
        authentication=Flow.Authentication.REQUIRE_AUTHENTICATED,
    )
    stage = AuthenticatorValidateStage.objects.create(
        name="step-up", not_configured_action="deny", last_auth_threshold="hours=1"
    )
    provider = whoami.provider
    provider.authorization_flow = flow
    provider.save()
    return FlowStageBinding.objects.create(flow=flow, stage=stage, order=0)


def asked_of(whoami: Any) -> dict[str, str]:
    return {
        "client_id": whoami.provider.oauth2provider.client_id,
        "redirect_uri": "https://app.example.test/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }


def at_the_application(client: Client, whoami: Any) -> str:
    """Where somebody who opens the application ends up."""
    return str(client.get(AUTHORIZE, asked_of(whoami))["Location"])


def onward(client: Client, to: str) -> str:
    """Where the authorize endpoint leads, when the flow is through."""
    assert to.startswith(AUTHORIZE)
    return str(client.get(to)["Location"])


def logged_in(client: Client, password: str) -> Client:
    """bob, with his password alone, before he had an app."""
    assert Tab(client).log_in("bob", password) == "/"
    return client


def test_a_login_with_a_password_is_asked(
    client: Client, whoami: Any, step_up: FlowStageBinding, bob: User, password: str
) -> None:
    """No code before the factor; then the login is worth more, and the next time nothing is asked."""  # S-513
    logged_in(client, password)
    give_app(bob)
    to = at_the_application(client, whoami)
    assert to.startswith("/if/flow/step-up/")
    tab = Tab(client, to)
    tab.submit(code="000000")
    assert "Invalid Token" in tab.text
    assert at_the_application(client, whoami).startswith("/if/flow/step-up/")

    tab = Tab(client, at_the_application(client, whoami))
    there = onward(client, tab.submit(code=code_at(time.time())))

    assert there.startswith("https://app.example.test/outpost.goauthentik.io/callback")
    assert "code=" in there
    assert LoginSession.objects.get(user=bob).methods == ["pwd", "otp", "mfa"]
    assert "code=" in at_the_application(client, whoami)


def test_it_wears_off(client: Client, whoami: Any, step_up: FlowStageBinding, bob: User, password: str) -> None:
    """After last_auth_threshold the application asks again."""
    give_app(bob)
    tab = Tab(client)
    tab.log_in("bob", password)
    assert tab.submit(code=code_at(time.time())) == "/"
    assert "code=" in at_the_application(client, whoami)

    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(hours=2))

    assert at_the_application(client, whoami).startswith("/if/flow/step-up/")


def test_whoever_has_none_is_refused(
    client: Client, whoami: Any, step_up: FlowStageBinding, bob: User, password: str
) -> None:
    """not_configured_action deny: at this application alone."""
    logged_in(client, password)
    answer = client.get(at_the_application(client, whoami))
    assert answer.status_code == 403
    assert client.get("/if/user/").status_code == 200


def test_a_rule_says_for_whom(
    client: Client, whoami: Any, step_up: FlowStageBinding, bob: User, staff: Group, password: str
) -> None:
    """A binding on the stage: members of staff are not asked."""
    bind(Actor.system(), step_up, group=staff, negate=True)
    logged_in(client, password)
    to = at_the_application(client, whoami)
    if to.startswith("/if/flow/"):  # a flow that might have asked
        to = onward(client, client.get(to)["Location"])
    assert "code=" in to
