"""Who may: every way in which bindings combine."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from doorward.identity.directory import actions as directory
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, unbind, update_binding
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.policies.queries import verdict

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def door(db: None) -> PolicyTarget:
    return PolicyTarget.objects.create()


def test_an_unbound_door_is_open(door: PolicyTarget, mallory: User) -> None:
    """Without a binding everybody passes, strangers included where a stranger comes at all."""
    assert verdict(door, mallory).passing
    assert verdict(door, AnonymousUser()).passing


def test_a_bound_door_is_closed_to_others(
    door: PolicyTarget, akadmin: User, bob: User, mallory: User, staff: Group
) -> None:
    """Members pass; others do not and are told why; superusers are not exempt."""
    bind(SYSTEM, door, group=staff)

    assert verdict(door, bob).passing
    assert verdict(door, mallory).reasons == ("mallory is not a member of the group “staff”",)
    assert not verdict(door, akadmin).passing
    assert not verdict(door, AnonymousUser()).passing


def test_any_and_all(door: PolicyTarget, bob: User, mallory: User, staff: Group) -> None:
    """One pass is enough with "any", every binding must pass with "all"."""
    bind(SYSTEM, door, group=staff)
    bind(SYSTEM, door, user=mallory)

    assert verdict(door, bob).passing
    door.policy_engine_mode = PolicyTarget.EngineMode.ALL
    assert not verdict(door, bob).passing
    assert not verdict(door, mallory).passing


def test_negation(door: PolicyTarget, bob: User, mallory: User, staff: Group) -> None:
    """Everybody but the members."""
    bind(SYSTEM, door, group=staff, negate=True)

    assert not verdict(door, bob).passing
    assert verdict(door, mallory).passing


def test_membership_is_inherited(door: PolicyTarget, bob: User, staff: Group) -> None:
    """A member of a child group passes where the parent is bound."""
    company = directory.create_group(SYSTEM, name="company")
    directory.update_group(SYSTEM, staff, parents=[company])
    bind(SYSTEM, door, group=company)

    assert verdict(door, bob).passing


def test_disabled_bindings_do_not_count(door: PolicyTarget, mallory: User, staff: Group) -> None:
    """As if they were not there."""
    bind(SYSTEM, door, group=staff, enabled=False)

    assert verdict(door, mallory).passing


def test_the_deactivated_pass_nowhere(door: PolicyTarget, bob: User) -> None:
    """Not even through an open door."""
    bob.is_active = False

    assert not verdict(door, bob).passing


def test_a_binding_names_exactly_one(door: PolicyTarget, bob: User, staff: Group) -> None:
    """Neither nobody nor two."""
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        bind(SYSTEM, door)
    with pytest.raises(ValidationError):
        bind(SYSTEM, door, user=bob, group=staff)
    with pytest.raises(ValidationError):
        update_binding(SYSTEM, bind(SYSTEM, door, user=bob), group=staff)


def test_deleting_the_last_subject_does_not_open_the_door(
    door: PolicyTarget, akadmin: User, bob: User, mallory: User, staff: Group
) -> None:
    """A door that only one user or group may pass is not opened to all by deleting them."""
    binding = bind(SYSTEM, door, user=mallory)
    with pytest.raises(Refused):
        directory.delete_user(SYSTEM, User.objects.get(pk=mallory.pk))
    update_binding(SYSTEM, binding, user=None, group=staff)
    with pytest.raises(Refused):
        directory.delete_group(SYSTEM, Group.objects.get(pk=staff.pk))

    bind(SYSTEM, door, user=akadmin)
    directory.delete_group(SYSTEM, Group.objects.get(pk=staff.pk))

    assert not verdict(door, mallory).passing
    unbind(SYSTEM, PolicyBinding.objects.get())
    assert verdict(door, mallory).passing
