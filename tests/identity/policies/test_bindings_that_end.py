"""Bindings that end by themselves, and access that was given on request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, create_policy, delete_policy
from doorward.identity.policies.models import DummyPolicy, PolicyBinding, PolicyTarget
from doorward.identity.policies.queries import verdict

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def door() -> PolicyTarget:
    return PolicyTarget.objects.create()


def soon() -> dict[str, Any]:
    return {"expires": timezone.now() + timedelta(hours=1), "expiring": True}


def end_all() -> None:
    PolicyBinding.objects.filter(expiring=True).update(expires=timezone.now())


def test_it_counts_until_its_date(door: PolicyTarget, bob: User, staff: Group) -> None:
    """Then it is as if it were not there."""
    bind(SYSTEM, door, group=Group.objects.create(name="others"))
    bind(SYSTEM, door, user=bob, **soon())
    assert verdict(door, bob).passing

    end_all()

    assert not verdict(door, bob).passing


@pytest.mark.parametrize("negate", [False, True])
def test_the_last_one_opens_nothing_when_it_ends(door: PolicyTarget, bob: User, mallory: User, negate: bool) -> None:
    """A door that was shut to some is not open to everybody on the day after."""
    bind(SYSTEM, door, user=bob, negate=negate, **soon())
    end_all()

    assert not verdict(door, bob).passing
    assert not verdict(door, mallory).passing


def test_a_date_without_the_word_means_nothing(door: PolicyTarget, bob: User) -> None:
    """``expires`` counts with ``expiring``, which cannot stand alone."""
    bind(SYSTEM, door, user=bob, expires=timezone.now() - timedelta(days=1), expiring=False)
    assert verdict(door, bob).passing

    with pytest.raises(ValidationError, match="Say when it ends"):
        bind(SYSTEM, door, user=bob, expiring=True)


def test_a_grant_lets_in_beside_the_others(door: PolicyTarget, bob: User, mallory: User, staff: Group) -> None:
    """Of one user, until its date; the others stay outside."""
    bind(SYSTEM, door, group=staff)
    assert not verdict(door, mallory).passing

    bind(SYSTEM, door, user=mallory, is_grant=True, **soon())

    assert verdict(door, mallory).passing
    assert verdict(door, bob).passing
    end_all()
    assert not verdict(door, mallory).passing


def test_where_all_must_pass_it_stands_for_the_groups_alone(door: PolicyTarget, mallory: User, staff: Group) -> None:
    """What policies say, of the time or the place, holds for whoever was let in on request."""
    door.policy_engine_mode = "all"
    door.save()
    weather = create_policy(SYSTEM, DummyPolicy, name="weather", result=True)
    bind(SYSTEM, door, group=staff)
    bind(SYSTEM, door, policy=weather)
    bind(SYSTEM, door, user=mallory, is_grant=True, **soon())
    assert verdict(door, mallory).passing

    DummyPolicy.objects.update(result=False)

    assert not verdict(door, mallory).passing


def test_a_grant_closes_nothing(door: PolicyTarget, bob: User, mallory: User) -> None:
    """Where nothing else is bound everybody enters, as before."""
    bind(SYSTEM, door, user=mallory, is_grant=True, **soon())

    assert verdict(door, bob).passing
    end_all()
    assert verdict(door, bob).passing


def test_a_grant_is_not_what_guards(door: PolicyTarget, mallory: User) -> None:
    """The last rule cannot go because a grant is left."""  # S-621
    weather = create_policy(SYSTEM, DummyPolicy, name="weather")
    bind(SYSTEM, door, policy=weather)
    bind(SYSTEM, door, user=mallory, is_grant=True, **soon())

    with pytest.raises(Refused):
        delete_policy(SYSTEM, weather)


@pytest.mark.parametrize("fields", [{"negate": True}, {"expiring": False}])
def test_a_grant_is_for_one_user_and_ends(door: PolicyTarget, mallory: User, fields: dict[str, Any]) -> None:
    """Neither for everybody but them, nor for ever."""
    with pytest.raises(ValidationError, match="on request"):
        bind(SYSTEM, door, user=mallory, **{"is_grant": True, **soon(), **fields})
