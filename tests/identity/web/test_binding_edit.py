"""A binding is changed where it stands: whom it names, and how it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from identity.web.visitor import Visitor

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User
    from doorward.identity.policies.models import PolicyBinding, PolicyTarget

pytestmark = pytest.mark.django_db


def bound(target: PolicyTarget, **fields: Any) -> PolicyBinding:
    from doorward.identity.events.actor import Actor
    from doorward.identity.policies.actions import bind

    return bind(Actor.system(), target, **fields)


def filled(**fields: Any) -> dict[str, Any]:
    """The form as a browser sends it, ``fields`` changed."""
    return {"group": "", "user": "", "policy": "", "enabled": "on", "order": "0", "timeout": "30", **fields}


def may(target: PolicyTarget, user: User) -> bool:
    from doorward.identity.policies.queries import verdict

    return verdict(target, user).passing


def test_who_may_enter_an_application(admin: Visitor, whoami: Application, bob: User, mallory: User) -> None:
    """From a group to a user, with all that a binding has; at once in force, with an event that says what it was."""
    from doorward.identity.events.models import Event

    binding = whoami.bindings.get()
    address = reverse("admin-binding-edit", args=["whoami", binding.pk])
    assert address in admin.open("/if/admin/applications/whoami/")

    fields = filled(user="mallory", order="7", expires="2099-01-01T10:00", failure_result="on", timeout="")
    admin.succeed(address, **fields)

    binding.refresh_from_db()
    assert (binding.group, binding.user, binding.order, binding.timeout) == (None, mallory, 7, 30)
    assert (binding.expiring, binding.failure_result) == (True, True)
    assert (may(whoami, bob), may(whoami, mallory)) == (False, True)
    diff = Event.objects.get(action="model_updated", context__model__model_name="policybinding").context["diff"]
    assert diff["order"] == {"previous_value": 0, "new_value": 7}
    assert {"group_id", "user_id", "expires", "expiring", "failure_result"} <= set(diff)
    assert 'value="mallory"' in admin.open(address)


def test_it_says_who_loses_before_it_is_saved(admin: Visitor, whoami: Application, bob: User, staff: Group) -> None:
    """And saves nothing."""
    address = reverse("admin-binding-edit", args=["whoami", whoami.bindings.get().pk])

    assert admin.send(address, **filled(group=staff.pk, negate="on", preview="on")).status_code == 200

    assert "loses access to “whoami”: bob" in admin.text
    assert may(whoami, bob)


def test_the_last_way_in_is_kept(admin: Visitor, staff: Group) -> None:
    """A flow that no administrator could take any more is asked about first, also for its stages (S-621)."""
    from doorward.identity.flows.models import Flow

    flow = Flow.objects.get(slug="default-authentication-flow")
    binding = bound(flow, group=staff, negate=True)
    address = reverse("admin-flow-access-edit", args=[flow.slug, binding.pk])
    page = f"/if/admin/flows/{flow.slug}/"
    assert address in admin.open(page)

    assert admin.send(address, **filled(group=staff.pk)).status_code == 409
    binding.refresh_from_db()
    assert binding.negate

    admin.succeed(address, **filled(group=staff.pk, sure="on"))
    binding.refresh_from_db()
    assert not binding.negate


def test_of_a_stage_and_of_a_source(admin: Visitor, staff: Group) -> None:
    """Switched off, and shown so."""
    from doorward.identity.flows.models import Flow
    from doorward.identity.sources.models import OAuthSource

    flow = Flow.objects.get(slug="default-provider-authorization-explicit-consent")
    place = flow.stage_bindings.get()
    source = OAuthSource.objects.create(name="Forge", slug="forge", provider_type="github", consumer_key="doorward")
    of_place, of_source = bound(place, group=staff), bound(source, group=staff)
    for name, keys, binding in (
        ("admin-flow-stage-access-edit", [flow.slug, place.uuid, of_place.pk], of_place),
        ("admin-source-access-edit", [source.slug, of_source.pk], of_source),
    ):
        fields = filled(group=staff.pk)
        del fields["enabled"]
        assert "switched off" in admin.succeed(reverse(name, args=keys), **fields)
        binding.refresh_from_db()
        assert not binding.enabled


@pytest.mark.parametrize(
    "fields", [{"user": "akadmin", "group": "staff"}, {}, {"user": "nobody"}, {"user": "akadmin", "order": "x"}]
)
def test_what_is_wrong_is_said(admin: Visitor, whoami: Application, staff: Group, fields: dict[str, Any]) -> None:
    """400, and nothing is changed."""
    wrong = filled(**{**fields, **({"group": str(staff.pk)} if "group" in fields else {})})
    address = reverse("admin-binding-edit", args=["whoami", whoami.bindings.get().pk])

    assert admin.send(address, **wrong).status_code == 400
    assert whoami.bindings.get().group == staff


def test_a_binding_of_something_else_is_not_there(admin: Visitor, whoami: Application, staff: Group) -> None:
    """Whoever may change one application changes no flow by its address."""
    from doorward.identity.flows.models import Flow

    binding = bound(Flow.objects.get(slug="default-authentication-flow"), group=staff, negate=True)

    assert admin.get(reverse("admin-binding-edit", args=["whoami", binding.pk])).status_code == 404
