"""The inspector, asked by the official client in a browser's session."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from contract.conftest import Operations
from doorward.identity.directory.actions import set_password
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from identity.flow_tab import Tab

PASSWORD = "a-password-for-contracts"


def cookie(client: Client) -> dict[str, str]:
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={client.cookies[name].value}"}


def test_a_flow_is_run_and_inspected(official: Any, live_server: LiveServer, installed: None) -> None:
    """The link runs it; each plan names its stage, the next one and the context; at the end it is completed."""
    set_password(Actor.system(), User.objects.get(username="akadmin"), PASSWORD)
    client = Client()
    Tab(client).log_in("akadmin", PASSWORD)
    api = Operations(official, live_server.url, None)

    link = api.flows_instances_execute_retrieve("default-authentication-flow", _headers=cookie(client)).link
    assert link.startswith("https://auth.example.test/if/flow/default-authentication-flow/")
    tab = Tab(client, link.removeprefix("https://auth.example.test"))
    tab.submit(uid_field="akadmin")
    seen = api.flows_inspector_get("default-authentication-flow", _headers=cookie(client))

    assert seen.is_completed is False
    assert seen.current_plan.current_stage.stage_obj.name == "default-authentication-password"
    assert seen.current_plan.next_planned_stage.stage_obj.name == "default-authentication-mfa-validation"
    assert seen.current_plan.plan_context["pending_user"]["username"] == "akadmin"
    assert len(seen.plans[0].session_id) == 64

    tab.submit(password=PASSWORD)
    seen = api.flows_inspector_get("default-authentication-flow", _headers=cookie(client))
    assert seen.is_completed is True
    assert PASSWORD not in seen.to_json()


def test_nothing_is_watched_without_a_session(api: Any, official: Any, live_server: LiveServer) -> None:
    """A token watches nothing: 400. A stranger is refused."""
    with pytest.raises(official.exceptions.BadRequestException):
        api.flows_inspector_get("default-authentication-flow")
    with pytest.raises(official.exceptions.NotFoundException):
        api.flows_inspector_get("no-such-flow")
    with pytest.raises(official.exceptions.ForbiddenException):
        Operations(official, live_server.url, None).flows_inspector_get("default-authentication-flow")


def test_a_flow_is_drawn(api: Any) -> None:
    """Stage by stage, in mermaid's language; what is not for everybody has a way around."""
    group = api.core_groups_list(name="authentik Admins").results[0].pk
    flow = api.flows_instances_retrieve("default-provider-authorization-explicit-consent")
    place = api.flows_bindings_list(target=flow.pk).results[0]
    official = importlib.import_module("authentik_client")
    binding = {"target": place.policybindingmodel_ptr_id, "group": group, "order": 0}
    api.policies_bindings_create(official.PolicyBindingRequest(**binding))

    drawn = api.flows_instances_diagram_retrieve(flow.slug).diagram.splitlines()

    assert drawn == [
        "graph TD",
        'begin[["Redirecting to #37;(app)s"]]',
        "begin --> who_0",
        'stage_0["default-provider-authorization-consent"]',
        'who_0{"authentik Admins"}',
        "who_0 -->|yes| stage_0",
        "who_0 -->|no| done",
        "stage_0 --> done",
        'done[["End of the flow"]]',
    ]
