"""Changes that would leave no administrator a way to log in are asked about before they are kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse

from doorward.identity.directory.models import Group
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows import way_in
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.actions import bind
from doorward.identity.stages.models import (
    AuthenticatorValidateStage,
    DenyStage,
    IdentificationStage,
    PasswordStage,
    RedirectStage,
)
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db

SLUG = "default-authentication-flow"
PAGE = f"/if/admin/flows/{SLUG}/"
ASKED = "After this no administrator could log in any more."


def place(stage: str) -> FlowStageBinding:
    return FlowStageBinding.objects.get(flow__slug=SLUG, stage__name=stage)


def flow_form(**changes: str) -> dict[str, str]:
    flow = Flow.objects.get(slug=SLUG)
    names = ("name", "title", "slug", "designation", "authentication", "denied_action", "policy_engine_mode", "layout")
    return {**{name: getattr(flow, name) for name in names}, **changes}


def test_taking_out_the_login_stage_is_asked_about(admin: Visitor) -> None:
    """409 and nothing changed, no event either; with the second button it is done all the same."""  # S-621
    page = reverse("admin-flow-stage-remove", args=[SLUG, place("default-authentication-login").uuid])
    events = Event.objects.count()

    assert admin.send(page).status_code == 409
    assert ASKED in admin.text
    assert "No stage of the flow logs anybody in." in admin.text
    assert place("default-authentication-login")
    assert Event.objects.count() == events
    assert "is no longer part" not in admin.open(PAGE)

    assert "No administrator can log in through this flow." in admin.succeed(page, sure="on")
    assert not Flow.objects.get(slug=SLUG).stage_bindings.filter(stage__kind="userlogin").exists()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"authentication": "require_superuser"}, "does not take people who are not logged in"),
        ({"authentication": "require_outpost"}, "does not take people who are not logged in"),
    ],
)
def test_a_requirement_that_nobody_meets(admin: Visitor, changes: dict[str, str], why: str) -> None:
    """Its form's fields are carried along by the question."""  # S-621
    assert admin.send(f"{PAGE}edit/", **flow_form(**changes)).status_code == 409

    assert why in admin.text
    assert 'name="authentication" value="require_' in admin.text
    assert Flow.objects.get(slug=SLUG).authentication == "none"


def test_changes_that_leave_a_way_are_not_asked_about(admin: Visitor) -> None:
    """A new title, another order of what does not matter."""
    admin.succeed(f"{PAGE}edit/", **flow_form(title="Our house", authentication="require_unauthenticated"))

    assert Flow.objects.get(slug=SLUG).title == "Our house"


def test_binding_the_flow_to_a_group(admin: Visitor, staff: Group) -> None:
    """Nobody is known before the login, so nobody is in any group."""  # S-621
    assert admin.send(f"{PAGE}access/", at=PAGE, group=str(staff.pk), user="").status_code == 409
    assert "nobody is known before the login" in admin.text
    assert not Flow.objects.get(slug=SLUG).bindings.exists()


def test_moving_the_password_before_the_name(admin: Visitor) -> None:
    """The order counts."""  # S-621
    move = reverse("admin-flow-stage-move", args=[SLUG, place("default-authentication-password").uuid])

    assert admin.send(move, at=PAGE, by="-1").status_code == 409
    assert "asks for a password before anybody was named" in admin.text
    assert place("default-authentication-password").order == 20


def test_deleting_the_flow_or_a_stage_of_it(admin: Visitor) -> None:
    """The flow itself; the stage that knows how to log in."""  # S-621
    assert admin.send(f"{PAGE}delete/").status_code == 409
    login = place("default-authentication-login").stage
    assert admin.send(f"/if/admin/stages/{login.pk}/delete/").status_code == 409
    assert Flow.objects.filter(slug=SLUG).exists()


def test_a_stage_that_refuses_whoever_has_no_factor(admin: Visitor) -> None:
    """As long as no administrator has one."""  # S-621
    stage = AuthenticatorValidateStage.objects.get(name="default-authentication-mfa-validation")
    fields: dict[str, object] = {
        "name": stage.name,
        "device_classes": ["totp"],
        "not_configured_action": "deny",
        "last_auth_threshold": "seconds=0",
        "webauthn_user_verification": "preferred",
    }

    assert admin.send(f"/if/admin/stages/{stage.pk}/", "", **fields).status_code == 409
    assert "turns away whoever has no second factor, and akadmin has none" in admin.text


def _deny_everybody() -> None:
    bind_stage(Actor.system(), Flow.objects.get(slug=SLUG), DenyStage.objects.create(name="no"), order=50)


def _deny_administrators() -> None:
    denied = bind_stage(Actor.system(), Flow.objects.get(slug=SLUG), DenyStage.objects.create(name="no"), order=50)
    bind(Actor.system(), denied, group=Group.objects.get(name="authentik Admins"))


def _name_nobody() -> None:
    IdentificationStage.objects.update(user_fields=[])


def _prove_nothing() -> None:
    FlowStageBinding.objects.filter(flow__slug=SLUG, stage__kind="password").delete()


def _no_flow() -> None:
    Flow.objects.filter(designation="authentication").delete()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_deny_everybody, "“no” turns everybody away."),
        (_deny_administrators, "“no” turns everybody away."),
        (_name_nobody, "leaves no way to say who one is"),
        (_prove_nothing, "is reached before anything is proven"),
        (_no_flow, "There is no flow to log in with."),
    ],
)
def test_what_closes_the_way(flows: None, akadmin: object, change: Callable[[], None], why: str) -> None:
    """Each is undone, and said why."""  # S-621
    with pytest.raises(way_in.NoWayIn, match=ASKED) as refused, way_in.kept(sure=False):
        change()

    assert why in str(refused.value)
    assert way_in.obstacle() == ""


def _deny_others() -> None:
    denied = bind_stage(Actor.system(), Flow.objects.get(slug=SLUG), DenyStage.objects.create(name="no"), order=50)
    bind(Actor.system(), denied, group=Group.objects.get(name="authentik Admins"), negate=True)


def _ask_on_one_page() -> None:
    IdentificationStage.objects.update(password_stage=PasswordStage.objects.get(name="default-authentication-password"))
    FlowStageBinding.objects.filter(flow__slug=SLUG, stage__kind="password").delete()


def _go_elsewhere() -> None:
    stage = RedirectStage.objects.create(name="on", mode="static", target_static="/elsewhere/")
    bind_stage(Actor.system(), Flow.objects.get(slug=SLUG), stage, order=5)


@pytest.mark.parametrize("change", [_deny_others, _ask_on_one_page, _go_elsewhere])
def test_what_leaves_a_way(flows: None, akadmin: object, change: Callable[[], None]) -> None:
    """A deny stage for others, the password on the first page, a redirect that leads elsewhere."""
    with way_in.kept(sure=False):
        change()

    assert way_in.obstacle() == ""


def test_mending_a_flow_that_is_broken_is_not_asked_about(admin: Visitor) -> None:
    """What was closed before does not stand in the way of whoever repairs it."""
    FlowStageBinding.objects.filter(flow__slug=SLUG).delete()

    assert "Saved" in admin.succeed(f"{PAGE}edit/", **flow_form(title="Under repair"))
