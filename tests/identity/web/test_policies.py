"""Policies as administrators make, try, bind and delete them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy, PasswordPolicy, Policy
from doorward.identity.stages.models import DenyStage
from doorward.identity.web.forms.policies import FORMS, kinds
from identity.web.test_stages import filled
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

STAFF_ALONE = 'return ak_is_group_member(request.user, name="staff")'
NEEDED: dict[str, dict[str, str | list[str]]] = {
    "expression": {"expression": "return True"},
    "passwordexpiry": {"days": "90"},
    "network": {"networks": "192.0.2.0/24, 2001:db8::/32"},
    "timewindow": {"days": ["0", "4"], "start": "22:00", "end": "06:00", "timezone": "Europe/Berlin"},
    "geoip": {"countries": "de\nFR", "asns": "AS64496"},
    "eventmatcher": {"action": "login_failed", "query": 'user.username = "bob"'},
}
"""What a new policy of this kind does not begin with."""


def rule(expression: str = STAFF_ALONE) -> ExpressionPolicy:
    return create_policy(Actor.system(), ExpressionPolicy, name="rule", expression=expression)


def test_every_kind_has_a_form_with_explanations() -> None:
    """A label and a help text for every field, and a field for everything that the API's clients can set."""
    assert {each.KIND for each in Policy.__subclasses__()} <= kinds().keys()
    for kind, form in FORMS.items():
        assert [field.name for field in form() if not field.help_text or not field.label] == [], kind


def test_a_policy_of_every_kind_is_made_changed_and_deleted(admin: Visitor) -> None:
    """Saving it unchanged changes nothing."""
    for kind, form in kinds().items():
        text = admin.succeed(
            f"/if/admin/new/policy/{kind}/", **{**filled(form()), **NEEDED.get(kind, {}), "name": "mine"}
        )
        assert "It judges nothing until it is bound." in text
        made = form.of._default_manager.get(name="mine")
        admin.succeed(f"/if/admin/policies/{made.pk}/", **filled(form(policy=made)))
        assert "mine" in admin.open("/if/admin/policies/?q=mine")
        admin.succeed(f"/if/admin/policies/{made.pk}/delete/")
        assert not Policy.objects.filter(name="mine").exists()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("expression", {"expression": "import os"}),
        ("passwordexpiry", {"days": "0"}),
        ("expression", {"expression": ""}),
        ("network", {"networks": "192.0.2.0/33"}),
        ("network", {"networks": ""}),
        ("timewindow", {"days": ["0"], "start": "08:00", "end": "18:00", "timezone": "Mars/Olympus"}),
        ("timewindow", {"start": "08:00", "end": "18:00", "timezone": "UTC"}),
        ("geoip", {"countries": "Germany"}),
        ("geoip", {}),
        ("eventmatcher", {"query": "action = __import__"}),
        ("eventmatcher", {"client_ip": "office"}),
    ],
)
def test_a_policy_that_cannot_be(admin: Visitor, kind: str, fields: dict[str, str]) -> None:
    """400, at the field; no rule is kept that the language does not have."""  # S-612
    answer = admin.send(f"/if/admin/new/policy/{kind}/", **{"name": "mine", **fields})

    assert answer.status_code == 400
    assert "aria-invalid" in admin.text
    assert not Policy.objects.filter(name="mine").exists()


def test_what_it_says_about_somebody(admin: Visitor, staff: Group, bob: User, mallory: User) -> None:
    """Yes, no, or why it cannot say."""
    page = reverse("admin-policy", args=[rule().pk])

    assert "bob passes." in admin.open(f"{page}?ask=bob")
    assert "mallory does not pass." in admin.open(f"{page}?ask=mallory")
    assert "There is no user “nobody”." in admin.open(f"{page}?ask=nobody")
    ExpressionPolicy.objects.update(expression="return 1 // 0")
    assert "It could not be judged" in admin.open(f"{page}?ask=bob")


def test_it_is_bound_to_an_application(admin: Visitor, whoami: Application, staff: Group, mallory: User) -> None:
    """Chosen among the others who may enter; the policy's page names the application."""
    policy = rule()
    page = f"/if/admin/applications/{whoami.slug}/"
    whoami.bindings.all().delete()
    admin.succeed(f"{page}bindings/", at=page, group="", user="", policy=str(policy.pk))

    assert "policy" in admin.text
    assert f"application {whoami.name}" in admin.open(reverse("admin-policy", args=[policy.pk]))
    assert "No, mallory may not enter" in admin.open(f"{page}?check=mallory")


def test_it_is_bound_to_a_stage(admin: Visitor) -> None:
    """The flow's course names it, and so does the policy's page."""
    policy = rule()
    place = FlowStageBinding.objects.get(flow__slug="default-authentication-flow", stage__kind="authenticatorvalidate")
    page = reverse("admin-flow-stage", args=["default-authentication-flow", place.uuid])
    admin.succeed(f"{page}access/", at=page, group="", user="", policy=str(policy.pk))

    assert "policy rule" in admin.open("/if/admin/flows/default-authentication-flow/")
    assert "in default-authentication-flow" in admin.open(reverse("admin-policy", args=[policy.pk]))


def test_what_alone_guards_something_is_not_deleted(admin: Visitor, whoami: Application) -> None:
    """409: without it everybody could enter."""
    policy = rule()
    whoami.bindings.all().delete()
    bind(Actor.system(), whoami, policy=policy)
    page = reverse("admin-policy-delete", args=[policy.pk])
    assert f"It no longer judges application {whoami.name}." in admin.open(page)

    assert admin.send(page).status_code == 409
    assert Policy.objects.filter(pk=policy.pk).exists()


def test_a_rule_that_closes_the_last_way_in_is_asked_about(admin: Visitor) -> None:
    """A policy that lets everybody come to a deny stage."""  # S-621
    policy = rule("return False")
    flow = Flow.objects.get(slug="default-authentication-flow")
    denied = bind_stage(Actor.system(), flow, DenyStage.objects.create(name="no"), order=50)
    bind(Actor.system(), denied, policy=policy)
    page = reverse("admin-policy", args=[policy.pk])

    assert admin.send(page, name="rule", expression="return True").status_code == 409
    assert "“no” turns everybody away." in admin.text
    policy.refresh_from_db()
    assert policy.expression == "return False"


def test_a_password_policy_names_its_stages(admin: Visitor) -> None:
    """It judges in prompt stages, where no binding says so."""
    policy = PasswordPolicy.objects.get(name="default-password-change-password-policy")

    assert "stage default-password-change-prompt" in admin.open(reverse("admin-policy", args=[policy.pk]))
