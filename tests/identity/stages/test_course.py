"""Stages that steer a flow: deny, dummy, redirect; and the one that deletes an account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.models import (
    DenyStage,
    DummyStage,
    IdentificationStage,
    RedirectStage,
    Stage,
    UserDeleteStage,
)
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db
MADE = "/if/flow/made/"


def flow_of(*stages: Stage, slug: str = "made", **fields: Any) -> Flow:
    flow = Flow.objects.create(slug=slug, name=slug, title=slug, designation="stage_configuration", **fields)
    for order, stage in enumerate(stages):
        FlowStageBinding.objects.create(flow=flow, stage=stage, order=order)
    return flow


@pytest.fixture
def browser(client: Client, login_flows: None, bob: User, password: str) -> Client:
    assert Tab(client).log_in("bob", password) == "/"
    return client


def test_a_deny_stage_lets_nobody_through(client: Client, login_flows: None) -> None:
    """With its own words, and 403."""
    flow_of(
        DenyStage.objects.create(name="no", deny_message="Closed for the summer."), DummyStage.objects.create(name="x")
    )
    page = client.get(MADE)

    assert page.status_code == 403
    assert "Closed for the summer." in page.content.decode()


def test_a_dummy_stage_shows_a_button(client: Client, login_flows: None) -> None:
    """And leads on."""
    flow_of(DummyStage.objects.create(name="just looking"))
    tab = Tab(client, MADE)

    assert "just looking" in tab.text
    assert tab.submit() == "/"


def test_a_dummy_stage_fails_when_told_to(client: Client, login_flows: None) -> None:
    """So that one sees what happens then: a refusal with an event."""
    flow_of(DummyStage.objects.create(name="broken", throw_error=True))

    assert client.get(MADE).status_code == 500
    assert Event.objects.filter(action="system_exception").exists()


def test_a_redirect_leads_to_a_path(client: Client, login_flows: None) -> None:
    """Of this host."""
    flow_of(RedirectStage.objects.create(name="on", mode="static", target_static="/if/user/"))

    assert client.get(MADE)["Location"] == "/if/user/"


def test_after_a_form_a_foreign_address_is_a_page(client: Client, login_flows: None) -> None:
    """The form's own page forbids to redirect it to another host, so a page goes on instead."""
    flow_of(
        DummyStage.objects.create(name="first"),
        RedirectStage.objects.create(name="on", mode="static", target_static="https://elsewhere.example.test/a?b=c&d"),
    )
    tab = Tab(client, MADE)
    answer = client.post(MADE, {"step": tab.hidden("step")})

    assert answer.status_code == 200
    assert 'content="0; url=https://elsewhere.example.test/a?b=c&amp;d"' in answer.content.decode()


def test_a_redirect_into_another_flow_keeps_what_is_known(client: Client, login_flows: None, bob: User) -> None:
    """A flow for whoever comes from another one is closed to others."""
    second = flow_of(
        DummyStage.objects.create(name="second"), slug="second", authentication=Flow.Authentication.REQUIRE_REDIRECT
    )
    flow_of(
        IdentificationStage.objects.create(name="who"),
        RedirectStage.objects.create(name="on", mode="flow", target_flow=second),
    )
    assert client.get("/if/flow/second/").status_code == 403
    tab = Tab(client, f"{MADE}?next=/if/user/")

    tab.submit(uid_field="bob")

    assert tab.url.startswith("/if/flow/second/")
    assert "second" in tab.text
    assert tab.submit() == "/if/user/"


def test_flows_that_lead_round_in_circles_end(client: Client, login_flows: None) -> None:
    """After ten rounds, with a page that says so."""
    flow = flow_of()
    FlowStageBinding.objects.create(
        flow=flow, stage=RedirectStage.objects.create(name="round", mode="flow", target_flow=flow), order=0
    )
    tab = Tab(client, MADE)

    assert tab.response.status_code == 403
    assert "circles" in tab.text


def test_an_account_is_deleted_after_a_question(browser: Client, bob: User) -> None:
    """Opening the page deletes nobody, pressing the button does; the browser is logged out."""
    flow_of(UserDeleteStage.objects.create(name="leave"), authentication=Flow.Authentication.REQUIRE_AUTHENTICATED)
    tab = Tab(browser, MADE)
    assert "Delete your account?" in tab.text
    assert User.objects.filter(pk=bob.pk).exists()

    assert tab.submit() == "/"

    assert not User.objects.filter(pk=bob.pk).exists()
    assert browser.get("/if/user/").status_code == 302


def test_somebody_who_was_only_named_is_not_deleted(client: Client, login_flows: None, bob: User) -> None:
    """Anybody can type a name."""  # CVE-2022-23555
    flow_of(IdentificationStage.objects.create(name="who"), UserDeleteStage.objects.create(name="leave"))
    tab = Tab(client, MADE)
    answer = client.post(MADE, {"step": tab.hidden("step"), "uid_field": "bob"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=bob.pk).exists()


def test_the_last_administrator_stays(client: Client, login_flows: None, akadmin: User, password: str) -> None:
    """Nobody locks everybody out."""  # S-621
    Tab(client).log_in("akadmin", password)
    flow_of(UserDeleteStage.objects.create(name="leave"))
    tab = Tab(client, MADE)
    answer = client.post(MADE, {"step": tab.hidden("step")})

    assert answer.status_code == 403
    assert User.objects.filter(pk=akadmin.pk).exists()


def test_an_api_client_gets_the_same(client: Client, login_flows: None) -> None:
    """Challenges by their names."""
    flow_of(
        DummyStage.objects.create(name="first"),
        RedirectStage.objects.create(name="on", mode="static", target_static="https://elsewhere.example.test/"),
    )
    executor = "/api/v3/flows/executor/made/"
    assert client.get(executor).json()["component"] == "ak-stage-dummy"

    answer = client.post(executor, json.dumps({"component": "ak-stage-dummy"}), content_type="application/json")

    assert answer.json()["component"] == "xak-flow-redirect"
    assert answer.json()["to"] == "https://elsewhere.example.test/"


@pytest.mark.parametrize(
    "target", ["", "javascript:alert(1)", "//evil.test", "https://", "http://[", "data:text/html,x"]
)
def test_no_redirect_leads_where_it_must_not(target: str) -> None:
    """Whoever makes the stage, by whichever way."""
    stage = RedirectStage(name="on", kind="redirect", mode="static", target_static=target)

    with pytest.raises(ValidationError):
        stage.full_clean()
