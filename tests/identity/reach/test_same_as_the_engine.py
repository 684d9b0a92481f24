"""The simulator and the engine give the same verdicts, whatever is bound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.identity.applications.actions import create_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import create_policy
from doorward.identity.policies.models import (
    DummyPolicy,
    ExpressionPolicy,
    NetworkPolicy,
    PolicyBinding,
    ReputationPolicy,
    UniquePasswordPolicy,
)
from doorward.identity.policies.queries import verdict
from doorward.identity.reach.world import World

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()

BINDINGS = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.sampled_from(["user", "group", "policy", "grant"]),
            "number": st.integers(0, 6),
            "negate": st.booleans(),
            "enabled": st.sampled_from([True, True, True, False]),
            "failure_result": st.booleans(),
            "ends": st.sampled_from([None, None, -1, 1]),
        }
    ),
    max_size=4,
)


@pytest.fixture
def cast(akadmin: User, bob: User, mallory: User, staff: Group) -> dict[str, list[Any]]:
    """Users in groups above each other, one of them deactivated, and policies of every sort."""
    above, other = Group.objects.create(name="above"), Group.objects.create(name="other")
    staff.parents.add(above)
    other.users.add(mallory)
    mallory.is_active = False
    mallory.save()
    rules = {
        "by name": 'return user.username == "bob"',
        "by group": 'return ak_is_group_member(user, name="above")',
        "broken": "return 1 // 0",
    }
    policies = [
        *(create_policy(SYSTEM, ExpressionPolicy, name=name, expression=text) for name, text in rules.items()),
        create_policy(SYSTEM, DummyPolicy, name="always", result=True),
        create_policy(SYSTEM, NetworkPolicy, name="near", networks=["192.0.2.0/24"]),
        create_policy(SYSTEM, ReputationPolicy, name="bad", threshold=-5),
        create_policy(SYSTEM, UniquePasswordPolicy, name="new"),
    ]
    return {"user": [akadmin, bob, mallory], "group": [staff, above, other], "policy": policies}


def bind(application: Application, cast: dict[str, list[Any]], drawn: dict[str, Any], order: int) -> None:
    is_grant = drawn["subject"] == "grant"
    kind = "user" if is_grant else drawn["subject"]
    some = cast[kind]
    ends = 1 if is_grant and drawn["ends"] is None else drawn["ends"]
    PolicyBinding.objects.create(
        target=application,
        order=order,
        enabled=drawn["enabled"],
        negate=drawn["negate"] and not is_grant,
        failure_result=drawn["failure_result"],
        is_grant=is_grant,
        expiring=ends is not None,
        expires=timezone.now() + timedelta(hours=ends) if ends is not None else None,
        **{kind: some[drawn["number"] % len(some)]},
    )


def test_whatever_is_bound(cast: dict[str, list[Any]]) -> None:
    """To any number of users, groups and policies, negated, switched off, ended, granted, one or all of them."""

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(BINDINGS, st.sampled_from(["any", "all"]))
    def same(drawn: list[dict[str, Any]], mode: str) -> None:
        with transaction.atomic():
            wiki = create_application(SYSTEM, name="wiki", slug="wiki", policy_engine_mode=mode)
            for order, each in enumerate(drawn):
                bind(wiki, cast, each, order)

            world = World.load()
            entering = world.entering()

            for user in User.objects.all():
                passing = verdict(wiki, user).passing
                assert ((user.pk, wiki.pk) in entering) is passing
                assert world.why(wiki.pk, user.pk)[0] is passing
            transaction.set_rollback(True)

    same()
