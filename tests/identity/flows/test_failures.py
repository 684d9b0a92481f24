"""S-502: whatever raises is a refusal with an event, and never a stage left out."""

from __future__ import annotations

import pytest
from django.test import Client

from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows import admission
from doorward.identity.flows.models import FlowStageBinding
from doorward.identity.policies import actions as policies
from doorward.identity.stages import credentials
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("the database has a bad day, s3cret")


def test_a_stage_that_raises_refuses(
    client: Client, flows: None, akadmin: User, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The visitor reads that it is not their fault, the administrator finds an event, nobody is in."""  # S-502
    tab = Tab(client)
    tab.submit(uid_field="akadmin")
    monkeypatch.setattr(credentials, "check", _fail)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "password": password})

    assert answer.status_code == 500
    assert "s3cret" not in answer.content.decode()
    assert Event.objects.get(action="system_exception").context["stage"] == "default-authentication-password"
    assert client.get(LOGIN).status_code == 200


def test_a_policy_that_raises_refuses(
    client: Client, flows: None, akadmin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage that it guards is neither run nor skipped."""  # S-502
    monkeypatch.setattr(admission, "verdict", _fail)

    answer = client.get(LOGIN)

    assert answer.status_code == 403
    assert Event.objects.filter(action="policy_exception").exists()


def test_a_stage_bound_to_others_is_skipped_but_proves_nothing(
    client: Client, flows: None, bob: User, admins: Group
) -> None:
    """Whoever takes bob's password stage away by a binding has not logged bob in."""  # S-501
    binding = FlowStageBinding.objects.get(flow__slug="default-authentication-flow", stage__kind="password")
    policies.bind(Actor.system(), binding, group=admins)
    FlowStageBinding.objects.filter(stage__kind="authenticatorvalidate").delete()
    tab = Tab(client)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "uid_field": "bob"})

    assert answer.status_code == 403
