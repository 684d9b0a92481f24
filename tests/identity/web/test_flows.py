"""Flows as administrators see and change them: the list, the course, places of stages, for whom they are."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.models import DenyStage, DummyStage, Stage
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

LOGIN = "/if/admin/flows/default-authentication-flow/"
NEW = {
    "name": "Guests",
    "title": "Welcome, guest",
    "designation": "enrollment",
    "authentication": "none",
    "denied_action": "message",
    "policy_engine_mode": "any",
    "layout": "stacked",
}


def place(flow: str, stage: str) -> FlowStageBinding:
    return FlowStageBinding.objects.get(flow__slug=flow, stage__name=stage)


def order(flow: str) -> list[str]:
    return list(Flow.objects.get(slug=flow).stage_bindings.order_by("order").values_list("stage__name", flat=True))


def test_flows_are_listed_by_what_they_are_for(admin: Visitor) -> None:
    """One heading for each purpose; the search looks at slugs and names."""
    text = admin.open("/if/admin/flows/")
    headings = re.findall(r"<h2 id=\"for-\d+\">([^<]+)", text)

    assert headings[:3] == ["Logging in", "Entering an application", "Logging out"]
    assert "default-recovery-flow" not in admin.open("/if/admin/flows/?for=authentication")
    assert "default-recovery-flow" in admin.open("/if/admin/flows/?q=recovery")
    assert "No flow found" in admin.open("/if/admin/flows/?q=nothing-has-this-name")


def test_a_flow_is_made_changed_and_deleted(admin: Visitor) -> None:
    """The slug comes from the name; each step leaves an event."""
    text = admin.succeed("/if/admin/new/flow/", **NEW)
    assert "No stage: one is through at once." in text
    assert "Making an account" in text

    changed = {**NEW, "slug": "guests", "title": "Come in", "layout": "content_left", "compatibility_mode": "on"}
    assert "Come in" in admin.succeed("/if/admin/flows/guests/edit/", **changed)
    flow = Flow.objects.get(slug="guests")
    assert (flow.layout, flow.compatibility_mode, flow.denied_action) == ("content_left", True, "message")

    assert "The flow “guests” is deleted." in admin.succeed("/if/admin/flows/guests/delete/")
    assert not Flow.objects.filter(slug="guests").exists()
    actions = set(Event.objects.filter(context__model__name="guests").values_list("action", flat=True))
    assert actions == {"model_created", "model_updated", "model_deleted"}


def test_a_flow_that_cannot_be(admin: Visitor) -> None:
    """A slug that another flow has, a purpose that does not exist: 400, at the field."""
    answer = admin.send("/if/admin/new/flow/", **{**NEW, "slug": "default-recovery-flow", "designation": "party"})

    assert answer.status_code == 400
    assert "aria-invalid" in admin.text
    answer = admin.send("/if/admin/new/flow/", **{**NEW, "slug": "default-recovery-flow"})
    assert answer.status_code == 400
    assert "already exists" in admin.text


def test_a_flow_that_providers_have_is_not_deleted(admin: Visitor, whoami: Application) -> None:
    """409; the page names who uses it, before and after."""
    assert whoami.provider is not None
    slug = whoami.provider.authorization_flow.slug
    page = f"/if/admin/flows/{slug}/delete/"
    assert f"The provider “{whoami.provider.name}” uses it, and must have one." in admin.open(page)

    assert admin.send(page).status_code == 409
    assert "Give these providers another flow first." in admin.text
    assert Flow.objects.filter(slug=slug).exists()


def test_the_course_is_an_ordered_list(admin: Visitor, staff: Group) -> None:
    """Stages in order, each with what it does; for whom it is, and when that is judged."""
    binding = place("default-authentication-flow", "default-authentication-mfa-validation")
    address = reverse("admin-flow-stage-access-add", args=["default-authentication-flow", binding.uuid])
    admin.succeed(address, at=LOGIN, group=str(staff.pk), user="")

    text = admin.open(LOGIN)
    course = text[text.index('class="course"') : text.index('id="who"')]
    items = re.findall(r"<h3>([^<]+)</h3>", course)
    assert items == ["Asks who it is", "Asks for the password", "Asks for a second factor", "Logs in"]
    assert course.count("<ol>") == 1
    assert course.count("<li ") == 4
    assert "group staff" in course
    assert "Judged when it is reached. Everybody else passes by." in course
    assert "On to where one was going" in course


def test_rules_that_nobody_looks_at_are_pointed_out(admin: Visitor, staff: Group) -> None:
    """A binding that is judged neither at the start nor when the stage is reached."""
    binding = place("default-authentication-flow", "default-authentication-mfa-validation")
    page = reverse("admin-flow-stage", args=["default-authentication-flow", binding.uuid])
    admin.succeed(f"{page}access/", at=page, group=str(staff.pk), user="")
    admin.succeed(page, order="30", invalid_response_action="restart", policy_engine_mode="all")

    binding.refresh_from_db()
    assert not binding.re_evaluate_policies
    assert "Nobody looks at this" in admin.open(page)
    text = admin.open(LOGIN)
    assert "so it is for everybody" in text
    assert "After a wrong answer: starts the flow over" in text


def test_a_stage_is_put_in_moved_and_taken_out(admin: Visitor) -> None:
    """It comes last; up and down change places with the neighbour; every step is an event."""
    admin.succeed("/if/admin/new/flow/", **NEW)
    names = ["one", "two", "three"]
    for name in names:
        stage = DummyStage.objects.create(name=name)
        fields = {"re_evaluate_policies": "on", "invalid_response_action": "retry", "policy_engine_mode": "any"}
        text = admin.succeed("/if/admin/flows/guests/stages/new/", stage=str(stage.pk), **fields)
        assert f"“{name}” is the last stage now." in text
    assert order("guests") == names

    move = reverse("admin-flow-stage-move", args=["guests", place("guests", "three").uuid])
    assert "“three” has moved up." in admin.succeed(move, at="/if/admin/flows/guests/", by="-1")
    assert order("guests") == ["one", "three", "two"]
    admin.succeed(move, at="/if/admin/flows/guests/", by="-1")
    assert "stays where it is" in admin.succeed(move, at="/if/admin/flows/guests/", by="-1")
    assert order("guests") == ["three", "one", "two"]
    admin.succeed(move, at="/if/admin/flows/guests/", by="1")
    assert order("guests") == ["one", "three", "two"]
    assert "stays where it is" in admin.succeed(move, at="/if/admin/flows/guests/", by="nowhere")

    remove = reverse("admin-flow-stage-remove", args=["guests", place("guests", "three").uuid])
    assert "is no longer part of the flow" in admin.succeed(remove)
    assert order("guests") == ["one", "two"]
    assert Stage.objects.filter(name="three").exists()
    events = Event.objects.filter(context__model__model_name="flowstagebinding")
    assert {event.action for event in events} == {"model_created", "model_updated", "model_deleted"}


def test_stages_that_share_a_number_can_be_moved(admin: Visitor) -> None:
    """The API lets two stages have one order, and one stage stand there twice; moving sorts it out."""
    flow = Flow.objects.create(name="Try", slug="try", title="Try", designation="stage_configuration")
    one, two = DummyStage.objects.create(name="one"), DummyStage.objects.create(name="two")
    for stage, number in ((one, 5), (two, 5), (one, 6)):
        FlowStageBinding.objects.create(flow=flow, stage=stage, order=number)
    last = flow.stage_bindings.get(order=6)

    admin.succeed(reverse("admin-flow-stage-move", args=["try", last.uuid]), at="/if/admin/flows/try/", by="-1")

    assert list(flow.stage_bindings.order_by("order").values_list("order", flat=True)) == [10, 20, 30]
    last.refresh_from_db()
    assert last.order == 20


def test_a_flow_is_opened_to_a_group_alone(admin: Visitor, staff: Group, bob: User, password: str) -> None:
    """And to everybody again: others read that it is not for them."""
    flow = Flow.objects.get(slug="default-password-change")
    page = f"/if/admin/flows/{flow.slug}/"
    admin.succeed(f"{page}access/", at=page, group=str(staff.pk), user="")
    bob.groups.clear()
    assert Visitor("bob", password).get(f"/if/flow/{flow.slug}/").status_code == 403

    binding = flow.bindings.get()
    remove = reverse("admin-flow-access-remove", args=[flow.slug, binding.pk])
    assert "without it, it is for everybody" in admin.open(remove)
    admin.succeed(remove)
    assert Visitor("bob", password).get(f"/if/flow/{flow.slug}/").status_code == 200


def test_a_binding_names_exactly_one(admin: Visitor, staff: Group) -> None:
    """Neither nobody nor both: 400, on the page of the flow."""
    page = "/if/admin/flows/default-password-change/"
    for fields in ({"group": "", "user": ""}, {"group": str(staff.pk), "user": "akadmin"}):
        assert admin.send(f"{page}access/", at=page, **fields).status_code == 400
        assert "Choose a group or a policy, or name a user: one of them." in admin.text


@pytest.mark.parametrize("name", ["admin-flow-stage", "admin-flow-stage-remove"])
def test_the_place_of_another_flow_is_not_there(admin: Visitor, name: str) -> None:
    """An address is made of a flow and a place in that flow."""  # S-602
    binding = place("default-authentication-flow", "default-authentication-login")

    assert admin.get(reverse(name, args=["default-recovery-flow", binding.uuid])).status_code == 404


def test_a_title_is_shown_as_text(admin: Visitor) -> None:
    """On the page of the flow, in the list, and on the flow itself."""  # S-530, S-531
    hostile = '"><img src=x onerror=alert(1)>{{7*7}}%(x)s'
    admin.succeed("/if/admin/new/flow/", **{**NEW, "name": hostile, "title": hostile, "slug": "guests"})
    stage = DenyStage.objects.create(name=hostile, deny_message=hostile)
    fields = {"invalid_response_action": "retry", "policy_engine_mode": "any"}
    admin.succeed("/if/admin/flows/guests/stages/new/", stage=str(stage.pk), **fields)

    for page in ("/if/admin/flows/", "/if/admin/flows/guests/", f"/if/admin/stages/{stage.pk}/", "/if/admin/stages/"):
        admin.open(page)
        assert "<img src=x" not in admin.raw, page
        assert "{{7*7}}" in admin.text, page
    assert Visitor().get("/if/flow/guests/").status_code == 403


def test_no_form_is_taken_from_elsewhere(admin: Visitor) -> None:
    """Without the session's token, or from another origin: 403, and nothing has changed."""  # S-528
    binding = place("default-authentication-flow", "default-authentication-mfa-validation")
    inside = f"{LOGIN}stages/{binding.uuid}/"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', admin.open(f"{LOGIN}edit/"))
    assert token
    events = Event.objects.count()
    for path in ("edit/", "delete/", "try/", "access/", "stages/new/"):
        assert admin.client.post(f"{LOGIN}{path}", NEW).status_code == 403
    for path in ("", "move/", "remove/", "access/"):
        sent = {"by": "1", "sure": "on", "csrfmiddlewaretoken": token[1]}
        for origin in ("https://evil.test", "null"):
            assert admin.client.post(f"{inside}{path}", sent, headers={"Origin": origin}).status_code == 403

    assert Event.objects.count() == events
    assert order("default-authentication-flow")[2] == "default-authentication-mfa-validation"
