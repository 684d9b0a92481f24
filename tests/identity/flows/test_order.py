"""S-501: a stage passes by its own recorded success, whatever is sent in whatever order."""

from __future__ import annotations

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow, FlowStageBinding
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


def is_logged_in(client: Client) -> bool:
    """The login page has nothing to ask of somebody who is logged in."""
    return client.get(LOGIN).status_code == 302


def test_a_password_before_a_name_changes_nothing(client: Client, flows: None, akadmin: User, password: str) -> None:
    """An answer to a later stage is not an answer to the current one."""  # S-501
    tab = Tab(client)

    tab.submit(password=password)

    assert tab.has("uid_field")
    assert not is_logged_in(client)


def test_an_empty_answer_changes_nothing(client: Client, flows: None, akadmin: User) -> None:
    """Neither at the first stage nor at the second."""  # S-501
    tab = Tab(client)
    tab.submit()
    assert "This field may not be blank." in tab.text

    tab.submit(uid_field="akadmin")
    tab.submit()
    assert tab.has("password")
    assert not is_logged_in(client)


def test_an_earlier_answer_again_shows_the_current_stage(
    client: Client, flows: None, akadmin: User, bob: User, password: str
) -> None:
    """The back button, a double click: the page says that one was further already, nobody is exchanged."""  # S-501
    tab = Tab(client)
    first_step = tab.hidden("step")
    tab.submit(uid_field="akadmin")

    client.post(LOGIN, {"step": first_step, "uid_field": "bob"})

    tab.open()
    assert "akadmin" in tab.text
    assert "earlier step" in tab.text


def test_a_step_that_does_not_exist_is_not_answered(client: Client, flows: None, akadmin: User, password: str) -> None:
    """Made-up tokens, and none at all."""  # S-501
    tab = Tab(client)
    step = tab.hidden("step")
    for made_up in ("", step.replace(".0", ".2"), "x", step + "\0"):
        client.post(LOGIN, {"step": made_up, "uid_field": "akadmin", "password": password})
    client.post(LOGIN, {"uid_field": "akadmin"})

    assert tab.open().has("uid_field")
    assert not is_logged_in(client)


def test_without_a_verified_credential_nobody_is_logged_in(client: Client, flows: None, akadmin: User) -> None:
    """A flow from which somebody took the password stage refuses; it does not let everybody in."""  # S-501, S-513
    asking = FlowStageBinding.objects.filter(stage__kind__in=["password", "authenticatorvalidate"])
    asking.filter(flow__slug="default-authentication-flow").delete()
    tab = Tab(client)

    answer = client.post(LOGIN, {"step": tab.hidden("step"), "uid_field": "akadmin"})

    assert answer.status_code == 403
    assert not is_logged_in(client)


def test_after_the_name_alone_one_is_nobody(client: Client, flows: None, akadmin: User) -> None:
    """In the middle of a login nothing is open yet."""  # S-513
    Tab(client).submit(uid_field="akadmin")

    authorization = Flow.objects.get(slug="default-provider-authorization-implicit-consent")
    assert client.get(f"/if/flow/{authorization.slug}/").status_code == 403
    assert not is_logged_in(client)
