"""The inspector: what a flow did and knows, for administrators alone, and flows tried as oneself."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows import inspector, journal
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.actions import bind
from doorward.identity.stages.models import DenyStage, DummyStage, Prompt, PromptStage, RedirectStage
from identity.flow_tab import LOGIN, Tab
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

PAGE = "/if/admin/flows/default-authentication-flow/"


def tried(admin: Visitor, slug: str) -> Tab:
    """The first page of a flow that an administrator tries."""
    answer = admin.send(f"/if/admin/flows/{slug}/try/", at=f"/if/admin/flows/{slug}/")
    assert answer.status_code == 303
    admin.client.handler.enforce_csrf_checks = False
    return Tab(admin.client, answer["Location"])


def flow_of(*stages: DummyStage | PromptStage | DenyStage | RedirectStage, slug: str = "try") -> Flow:
    flow = Flow.objects.create(name="Try", slug=slug, title="Try", designation="stage_configuration")
    for stage in stages:
        bind_stage(Actor.system(), flow, stage)
    return flow


def test_the_login_is_tried_by_whoever_is_logged_in(admin: Visitor, password: str) -> None:
    """Every page shows plan, context and history; at the end one reads what happened."""
    tab = tried(admin, "default-authentication-flow")
    assert '<h2 id="inspector">Inspector</h2>' in tab.text
    assert "default-authentication-identification: Asked" in tab.text

    tab.submit(uid_field="akadmin")
    assert 'aria-current="step"' in tab.text
    assert "default-authentication-identification: Passed" in tab.text
    assert "pending_user_identifier" in tab.text
    tab.submit(password="not this one")
    assert "default-authentication-password: A wrong answer" in tab.text
    assert tab.submit(password=password) == f"{PAGE}tried/"

    text = admin.open(f"{PAGE}tried/")
    assert "It is over." in text
    assert "The flow is through" in text
    assert "default-authentication-login: Passed" in text


def test_no_secret_stands_in_it(admin: Visitor, password: str) -> None:
    """Neither what was typed as a password, nor the same in a prompt, nor what opens something."""  # I5
    for order, (key, kind) in enumerate((("password", "password"), ("attributes.api_token", "text"), ("name", "text"))):
        Prompt.objects.create(name=key, field_key=key, label=key, type=kind, order=order)
    stage = PromptStage.objects.create(name="ask")
    stage.fields.set(Prompt.objects.filter(name__in=["password", "attributes.api_token", "name"]))
    flow_of(stage, DummyStage.objects.create(name="button"))
    tab = tried(admin, "try")

    tab.submit(**{"password": "a-very-secret-thing", "attributes.api_token": "another-secret", "name": "Bob B."})

    assert "button: Asked" in tab.text
    assert "Bob B." in tab.text
    assert "********************" in tab.text
    kept = admin.client.session[journal.KEY]
    for secret in ("a-very-secret-thing", "another-secret", password):
        assert secret not in tab.text.replace(tab.hidden("step"), "")
        assert secret not in kept


def test_which_policy_said_what(admin: Visitor, staff: Group, akadmin: User) -> None:
    """At the start and when a stage is reached, yes and no, with the reason."""
    flow = flow_of(
        DummyStage.objects.create(name="for staff"),
        DummyStage.objects.create(name="for akadmin"),
        DummyStage.objects.create(name="planned"),
    )
    places = {place.stage.name: place for place in flow.stage_bindings.all()}
    bind(Actor.system(), places["for staff"], group=staff)
    bind(Actor.system(), places["for akadmin"], user=akadmin)
    FlowStageBinding.objects.filter(pk=places["planned"].pk).update(evaluate_on_plan=True, re_evaluate_policies=False)
    bind(Actor.system(), places["planned"], group=staff, negate=True)

    tab = tried(admin, "try")

    assert "for staff: Left out: it is not for this visitor" in tab.text
    assert "for staff: akadmin is not a member of the group “staff”" in tab.text
    assert "for akadmin: akadmin is the user “akadmin”" in tab.text
    assert "planned: akadmin is not a member of the group “staff”" in tab.text


def test_a_refusal_says_why(admin: Visitor) -> None:
    """The page of the refusal has the inspector too, and the last line of the history is it."""
    flow_of(DenyStage.objects.create(name="no", deny_message="Not today"))
    tab = tried(admin, "try")

    assert tab.response.status_code == 403
    assert "Inspector" in tab.text
    assert "no: Refused" in tab.text
    assert "It is over." in admin.open("/if/admin/flows/try/tried/")


def test_a_flow_that_another_one_leads_into_is_watched_as_well(admin: Visitor) -> None:
    """A redirect stage hands over; the inspector goes along."""
    target = flow_of(DummyStage.objects.create(name="there"), slug="target")
    flow_of(RedirectStage.objects.create(name="on", mode="flow", target_flow=target))

    tab = tried(admin, "try")

    assert tab.url.startswith("/if/flow/target/")
    assert "there: Asked" in tab.text
    assert "Into the flow “target”." in admin.open("/if/admin/flows/try/tried/")


def test_looking_again_adds_nothing(admin: Visitor) -> None:
    """A page that is reloaded was asked once."""
    flow_of(DummyStage.objects.create(name="button"))
    tab = tried(admin, "try")
    tab.open()

    assert tab.open().text.count("button: Asked") == 1


def test_a_page_is_watched_by_its_parameter(admin: Visitor) -> None:
    """Without a trial: the flow as anybody meets it."""
    flow_of(DummyStage.objects.create(name="button"))
    assert "Inspector" not in admin.open("/if/flow/try/")
    assert "Inspector" in admin.open("/if/flow/try/?inspector")
    assert "button: Asked" in admin.text
    assert "Nothing to show" in admin.open(f"{PAGE}tried/")


@pytest.mark.parametrize("who", ["", "bob"])
def test_nobody_else_sees_or_records_anything(who: str, visiting_bob: Visitor) -> None:
    """For strangers and users the parameter means nothing, and their sessions keep nothing."""
    flow_of(DummyStage.objects.create(name="button"))
    client = visiting_bob.client if who else Client()
    plain = Tab(client, "/if/flow/try/").text
    watched = Tab(client, "/if/flow/try/?inspector").text

    assert "Inspector" not in watched
    assert plain.count("<h2") == watched.count("<h2")
    assert journal.KEY not in client.session
    login = Tab(Client(), f"{LOGIN}?inspector")
    assert "Inspector" not in login.text


def test_whoever_logs_in_on_the_way_sees_nothing_any_more(admin: Visitor, bob: User, password: str) -> None:
    """The administrator tries the login as bob: from then on the session is bob's."""
    tab = tried(admin, "default-authentication-flow")
    tab.submit(uid_field="bob")
    assert "Inspector" in tab.text
    tab.submit(password=password)

    assert admin.get(f"{PAGE}tried/").status_code == 403
    assert "Inspector" not in Tab(admin.client, f"/if/flow/default-password-change/?{inspector.PARAMETER}").text


def test_a_stage_that_breaks_is_told_apart_from_one_that_refuses(admin: Visitor) -> None:
    """Denied with an event, never skipped; the history says which stage it was."""  # S-502
    flow_of(DummyStage.objects.create(name="broken", throw_error=True), DummyStage.objects.create(name="behind"))
    admin.client.raise_request_exception = False

    tab = tried(admin, "try")

    assert tab.response.status_code == 500
    assert "broken: Refused" in tab.text
    assert "ThrownOnPurpose in stage “broken”" in tab.text
    assert "behind: Asked" not in tab.text
    assert Event.objects.filter(action="system_exception", context__stage="broken").exists()


def test_a_trial_and_another_tab_do_not_disturb_each_other(admin: Visitor) -> None:
    """Each destination has its own plan, and its own journal."""  # S-503
    flow_of(DummyStage.objects.create(name="one"), DummyStage.objects.create(name="two"))
    other = Tab(admin.client, "/if/flow/try/")
    tab = tried(admin, "try")
    tab.submit()

    assert "two: Asked" in tab.text
    assert "<p>one</p>" in other.open().text
    assert "Inspector" not in other.text


def test_a_login_that_is_tried_changes_the_session_id(admin: Visitor, password: str) -> None:
    """It is a login like any other; the old id is dead."""  # S-527
    name = settings.SESSION_COOKIE_NAME
    before = admin.client.cookies[name].value
    tried(admin, "default-authentication-flow").log_in("akadmin", password)

    assert admin.client.cookies[name].value != before
    admin.client.cookies[name] = before
    assert admin.get("/if/admin/").status_code == 302


def test_what_was_typed_is_shown_as_text(admin: Visitor) -> None:
    """In context and history."""  # S-530, S-531
    tab = tried(admin, "default-authentication-flow")
    tab.submit(uid_field='"><img src=x onerror=alert(1)>{{7*7}}')

    raw = tab.response.content.decode()
    assert "pending_user_identifier" in raw
    assert "<img src=x" not in raw
    assert "{{7*7}}" in tab.text


def test_a_trial_needs_a_form(admin: Visitor) -> None:
    """A link from elsewhere begins nothing, nor does a form without the session's token."""  # S-528
    assert admin.get(f"{PAGE}try/").status_code == 405
    assert admin.client.post(f"{PAGE}try/").status_code == 403
    assert journal.KEY not in admin.client.session


def test_a_journal_does_not_grow_without_end(admin: Visitor) -> None:
    """Three flows, sixty entries each."""
    for number in range(5):
        flow_of(DummyStage.objects.create(name=f"button {number}"), slug=f"try-{number}")
        tried(admin, f"try-{number}")
        admin.client.handler.enforce_csrf_checks = True

    assert "Nothing to show" in admin.open("/if/admin/flows/try-0/tried/")
    assert "button 4: Asked" in admin.open("/if/admin/flows/try-4/tried/")
