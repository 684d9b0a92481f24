"""S-503: several tabs, the back button, a slow user: each ends where they wanted to go, or at a page that says why."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from doorward.identity.directory.models import User
from doorward.identity.flows import plan_store
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from identity.flow_tab import LOGIN, Tab

pytestmark = pytest.mark.django_db


def test_two_tabs_to_two_places_do_not_know_each_other(
    client: Client, flows: None, akadmin: User, bob: User, password: str
) -> None:
    """Who is named in one does not appear in the other; each is brought to its own page."""  # S-503
    one, two = Tab(client, f"{LOGIN}?next=/one/"), Tab(client, f"{LOGIN}?next=/two/")
    one.submit(uid_field="akadmin")
    two.submit(uid_field="bob")

    assert "akadmin" in one.open().text
    assert "bob" not in one.text
    assert one.submit(password=password) == "/one/"

    # Logged in by now: the other tab has nothing left to ask.
    assert two.open().response["Location"] == "/two/"


def test_a_page_of_a_login_that_was_started_again_is_not_answered(
    client: Client, flows: None, akadmin: User, bob: User, password: str
) -> None:
    """bob's password page, left open, does not become akadmin's."""  # S-503
    old = Tab(client)
    old.submit(uid_field="bob")
    client.get("/flows/-/cancel/")
    Tab(client).submit(uid_field="akadmin")

    old.submit(password=password)

    assert "earlier step" in old.text
    assert "akadmin" in old.text


def test_another_flow_starts_afresh(client: Client, flows: None, akadmin: User) -> None:
    """A plan belongs to one slug: what was said in one flow is not known in another."""  # S-503
    first = Flow.objects.get(slug="default-authentication-flow")
    other = Flow.objects.create(slug="other", name="Other", title="Other", designation="authentication")
    for binding in first.stage_bindings.all():
        FlowStageBinding.objects.create(flow=other, stage=binding.stage, order=binding.order)
    tab = Tab(client)
    tab.submit(uid_field="akadmin")

    step = tab.hidden("step")
    client.post("/if/flow/other/", {"step": step, "password": "x"})

    assert Tab(client, "/if/flow/other/").has("uid_field")


def test_a_plan_that_waited_too_long_starts_again_and_says_so(
    client: Client, flows: None, akadmin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half an hour the first page comes, with a sentence."""
    tab = Tab(client)
    tab.submit(uid_field="akadmin")
    later = time.time() + plan_store.LONGEST + 1
    monkeypatch.setattr(time, "time", lambda: later)

    tab.submit(password="whatever")

    assert tab.has("uid_field")
    assert "open for too long" in tab.text


def test_a_session_that_is_gone_leads_to_the_first_page_with_a_sentence(flows: None, akadmin: User) -> None:
    """The database forgot the session; the browser still shows the password page."""
    client = Client(enforce_csrf_checks=True, headers={"Origin": "https://auth.example.test"})
    tab = Tab(client)
    fields = {"step": tab.hidden("step"), "csrfmiddlewaretoken": tab.hidden("csrfmiddlewaretoken")}
    LoginSession.objects.all().delete()

    answer = client.post(LOGIN, {**fields, "uid_field": "akadmin"})
    tab.open(answer["Location"])

    assert answer.status_code == 303
    assert tab.has("uid_field")
    assert "open for too long" in tab.text


def test_a_session_keeps_few_plans(client: Client, flows: None) -> None:
    """A hundred tabs do not fill the session: the oldest plan goes first."""  # S-917
    for number in range(20):
        client.get(f"{LOGIN}?next=/{number}/")

    row = LoginSession.objects.get()
    assert len(row.session_data) < 6000
