"""Who may start a flow, and what happens to the others (``authentication`` and ``denied_action``)."""

from __future__ import annotations

import pytest
from django.test import Client

from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.policies import actions as policies
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db

PAGE = "/if/flow/made/"


def make(requirement: str, designation: str = "stage_configuration", denied_action: str = "message") -> Flow:
    return Flow.objects.create(
        slug="made",
        name="Made",
        title="Made",
        designation=designation,
        authentication=requirement,
        denied_action=denied_action,
    )


def test_a_stranger_is_asked_to_log_in_and_comes_back(client: Client, flows: None, bob: User, password: str) -> None:
    """Where logging in would open the flow, one is sent to log in."""
    make("require_authenticated")

    to = client.get(f"{PAGE}?next=/x/")["Location"]
    assert to.startswith("/flows/-/default/authentication/?next=")
    tab = Tab(client, client.get(to)["Location"])

    assert tab.log_in("bob", password) == "/x/"


@pytest.mark.parametrize("requirement", ["require_superuser", "require_redirect", "require_outpost"])
def test_the_others_are_refused(client: Client, flows: None, bob: User, password: str, requirement: str) -> None:
    """bob is neither a superuser, nor sent here by a flow, nor an outpost."""
    make(requirement)
    Tab(client).log_in("bob", password)

    assert client.get(PAGE).status_code == 403


def test_a_flow_for_strangers_is_closed_to_users(client: Client, flows: None, bob: User, password: str) -> None:
    """require_unauthenticated; with message_continue they go on to where they wanted."""
    make("require_unauthenticated", designation="enrollment", denied_action="message_continue")
    Tab(client).log_in("bob", password)

    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}?next=/x/")["Location"] == "/x/"


def test_continue_goes_to_the_start_page(client: Client, flows: None, bob: User, password: str) -> None:
    """denied_action continue, without a destination."""
    make("require_unauthenticated", designation="enrollment", denied_action="continue")
    Tab(client).log_in("bob", password)

    assert client.get(PAGE)["Location"] == "/"


def test_a_closed_login_flow_never_sends_the_browser_in_circles(client: Client, flows: None, admins: Group) -> None:
    """Going on to ``next`` would only lead back to the login: the page says no instead."""
    flow = Flow.objects.get(slug="default-authentication-flow")
    Flow.objects.filter(pk=flow.pk).update(denied_action="continue")
    policies.bind(Actor.system(), flow, group=admins)

    answer = client.get(f"{LOGIN}?next=/application/o/authorize/?client_id=x")

    assert answer.status_code == 403


def test_the_reasons_are_for_superusers(
    client: Client, flows: None, akadmin: User, staff: Group, password: str
) -> None:
    """akadmin is told which binding did not match."""
    policies.bind(Actor.system(), make("none"), group=staff)
    Tab(client).log_in("akadmin", password)

    page = client.get(PAGE).content.decode()

    assert "Why, for administrators" in page
    assert "not a member of the group “staff”" in page


def test_others_are_not_told_why(client: Client, flows: None, mallory: User, staff: Group, password: str) -> None:
    """Group names are nobody's business."""
    policies.bind(Actor.system(), make("none"), group=staff)
    Tab(client).log_in("mallory", password)

    page = client.get(PAGE).content.decode()

    assert "staff" not in page
    assert "mallory" in page
