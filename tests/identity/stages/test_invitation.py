"""Making an account with an invitation, and not without one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.mail import links
from doorward.identity.stages.models import Invitation, InvitationStage
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db
ENROL = "/if/flow/default-invitation-flow/"
GOOD = "seven grey herons at noon"
CAROL = {"username": "carol", "name": "Carol", "email": "carol@example.test", "password": GOOD, "password_repeat": GOOD}


def invited(**fields: Any) -> Invitation:
    return Invitation.objects.create(name="carol", **fields)


def link(invitation: Invitation) -> str:
    return f"{ENROL}?itoken={invitation.pk}"


def test_whoever_is_invited_makes_an_account(client: Client, login_flows: None) -> None:
    """And is logged in; an event says which invitation it was."""
    tab = Tab(client, link(invited()))

    assert tab.submit(**CAROL) == "/"

    carol = User.objects.get(username="carol")
    assert carol.type == User.Type.INTERNAL
    assert not links.is_proven(carol)  # S-518
    assert LoginSession.objects.filter(user=carol).exists()
    assert Event.objects.get(action="invitation_used").context["invitation"] == "carol"


@pytest.mark.parametrize("query", ["", "?itoken=", "?itoken=nonsense", "?itoken=6f1d7b3e-27a5-4c9c-9d53-8a4c3c0e7a10"])
def test_nobody_else_does(client: Client, login_flows: None, query: str) -> None:
    """No invitation, no page with fields."""  # S-521
    page = client.get(ENROL + query)

    assert page.status_code == 403
    assert "username" not in page.content.decode()


def test_an_expired_invitation_opens_nothing(client: Client, login_flows: None) -> None:
    """Judged when it is read, also by somebody whose page is open already."""  # S-517
    invitation = invited(expires=timezone.now() + timedelta(minutes=1))
    tab = Tab(client, link(invitation))
    Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))

    assert client.post(tab.url, {"step": tab.hidden("step"), **CAROL}).status_code == 403
    assert not User.objects.filter(username="carol").exists()
    assert Tab(Client(), link(invitation)).response.status_code == 403


def test_looking_uses_nothing_up(client: Client, login_flows: None) -> None:
    """Programs that scan mail open links; the account that is made uses it up, and only one."""  # S-517
    invitation = invited(single_use=True)
    for _ in range(3):
        assert Tab(Client(), link(invitation)).has("username")
    late = Tab(Client(), link(invitation))

    assert Tab(client, link(invitation)).submit(**CAROL) == "/"
    dora = {**CAROL, "step": late.hidden("step"), "username": "dora", "email": "dora@example.test"}
    assert late.browser.post(late.url, dora).status_code == 403
    assert not User.objects.filter(username="dora").exists()
    assert not Invitation.objects.exists()


def test_a_name_that_is_taken_uses_nothing_up(client: Client, login_flows: None, bob: User) -> None:
    """Whoever is invited chooses another one."""
    invitation = invited(single_use=True)
    tab = Tab(client, link(invitation))
    tab.submit(**{**CAROL, "username": "bob"})

    assert Invitation.objects.filter(pk=invitation.pk).exists()
    assert tab.submit(**CAROL) == "/"


def test_what_is_fixed_cannot_be_typed_over(client: Client, login_flows: None) -> None:
    """Shown, read-only, and written whatever the form says."""
    fixed = {"email": "carol@work.example.test", "attributes": {"team": "birds"}, "is_superuser": True}
    tab = Tab(client, link(invited(fixed_data=fixed)))
    assert 'value="carol@work.example.test"' in tab.text

    tab.submit(**CAROL)

    carol = User.objects.get(username="carol")
    assert carol.email == "carol@work.example.test"
    assert carol.attributes == {"team": "birds"}
    assert not carol.is_superuser
    assert links.is_proven(carol)  # an administrator vouches for it


def test_an_invitation_opens_its_own_flow_only(client: Client, login_flows: None) -> None:
    """Not the one for staff to the one for guests."""
    other = Flow.objects.create(slug="other", name="o", title="o", designation="enrollment")

    assert client.get(link(invited(flow=other))).status_code == 403


def test_a_stage_may_let_others_through(client: Client, login_flows: None) -> None:
    """Where the operator says so, an invitation only fills in."""
    InvitationStage.objects.update(continue_flow_without_invitation=True)

    assert Tab(client, ENROL).submit(**CAROL) == "/"
