"""Who can reach what: for one, for all, and under changes that nobody has made yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from doorward.identity.applications.actions import create_application
from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import add_member, create_group, delete_group, remove_member, update_user
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.policies.actions import bind, create_policy, unbind, update_policy
from doorward.identity.policies.models import ExpressionPolicy, NetworkPolicy, PolicyBinding
from doorward.identity.policies.queries import verdict
from doorward.identity.reach.changes import (
    BindingAdded,
    BindingChanged,
    BindingRemoved,
    Change,
    GroupDeleted,
    MemberAdded,
    MemberRemoved,
    PolicyEdited,
    UserDeactivated,
    difference,
    warnings,
)
from doorward.identity.reach.world import World

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def wiki(staff: Group) -> Application:
    """For whoever is below the group of all, by a rule that asks for groups."""
    above = create_group(SYSTEM, name="everyone")
    staff.parents.add(above)
    wiki = create_application(SYSTEM, name="wiki", slug="wiki")
    text = 'return "everyone" in [group.name for group in user.all_groups()]'
    bind(SYSTEM, wiki, policy=create_policy(SYSTEM, ExpressionPolicy, name="rule", expression=text))
    bind(SYSTEM, wiki, group=create_group(SYSTEM, name="readers"), order=1)
    return wiki


def named(pairs: list[tuple[User, Application]]) -> list[tuple[str, str]]:
    return [(user.username, application.slug) for user, application in pairs]


def test_it_says_what_the_judge_says(whoami: Application, wiki: Application) -> None:
    """About every user and every application."""
    world = World.load()
    entering = world.entering()

    for user in User.objects.all():
        for application in (whoami, wiki):
            passing = verdict(application, user).passing
            assert ((user.pk, application.pk) in entering) is passing
            assert world.why(application.pk, user.pk)[0] is passing


def test_reasons(whoami: Application, wiki: Application, bob: User, mallory: User) -> None:
    """The rule that lets in, or all that do not."""
    bind(SYSTEM, whoami, user=mallory, is_grant=True, expiring=True, expires=timezone.now() + timedelta(hours=1))
    world = World.load()

    assert world.why(whoami.pk, bob.pk)[1] == "bob is a member of the group “staff”"
    assert "on request, until" in world.why(whoami.pk, mallory.pk)[1]
    assert "The policy “rule” does not pass; mallory is not" in world.why(wiki.pk, mallory.pk)[1]


def test_a_rehearsal_leaves_no_trace(wiki: Application) -> None:
    """No event of rules that fail or that are logged."""
    ExpressionPolicy.objects.update(expression="return 1 // 0", execution_logging=True)
    events = Event.objects.count()

    World.load().entering()

    assert Event.objects.count() == events


def test_an_address_can_be_given(whoami: Application, bob: User) -> None:
    """Rules about networks are judged by it; without one they let nobody in."""
    whoami.bindings.all().delete()
    bind(SYSTEM, whoami, policy=create_policy(SYSTEM, NetworkPolicy, name="n", networks=["192.0.2.0/24"]))

    assert World.load("192.0.2.1").why(whoami.pk, bob.pk)[0]
    assert not World.load().why(whoami.pk, bob.pk)[0]


Made = tuple[Change, Callable[[], object]]
"""A change that is thought about, and what really makes it."""


def changes(whoami: Application, wiki: Application, bob: User, mallory: User, staff: Group) -> dict[str, Made]:
    readers = Group.objects.get(name="readers")
    last = whoami.bindings.get()
    rule = ExpressionPolicy.objects.get(bindings__target__in=[whoami, wiki])
    ended = {"expiring": True, "expires": timezone.now()}
    return {
        "joins": (MemberAdded(staff, mallory), lambda: add_member(SYSTEM, staff, mallory)),
        "leaves": (MemberRemoved(staff, bob), lambda: remove_member(SYSTEM, staff, bob)),
        "group": (GroupDeleted(readers), lambda: delete_group(SYSTEM, readers)),
        "deactivated": (UserDeactivated(bob), lambda: update_user(SYSTEM, bob, is_active=False)),
        "bound": (BindingAdded(whoami, {"user": mallory}), lambda: bind(SYSTEM, whoami, user=mallory)),
        "closed": (
            BindingChanged(last, {"negate": True}),
            lambda: PolicyBinding.objects.filter(pk=last.pk).update(negate=True),
        ),
        "ended": (BindingChanged(last, ended), lambda: PolicyBinding.objects.filter(pk=last.pk).update(**ended)),
        "unbound": (BindingRemoved(last), lambda: unbind(SYSTEM, last)),
        "edited": (
            PolicyEdited(rule, {"expression": "return user.username == 'mallory'"}),
            lambda: update_policy(SYSTEM, rule, expression="return user.username == 'mallory'"),
        ),
    }


NAMES = ["joins", "leaves", "group", "deactivated", "bound", "closed", "ended", "unbound", "edited"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_foretold_comes_true(
    whoami: Application, wiki: Application, bob: User, mallory: User, staff: Group, name: str
) -> None:
    """Whoever is said to gain or lose does, and nobody else."""
    change, really = changes(whoami, wiki, bob, mallory, staff)[name]
    before = World.load().entering()
    foretold = difference([change])
    assert World.load().entering() == before  # thinking about it has changed nothing

    really()

    after = World.load().entering()
    assert {(user.pk, application.pk) for user, application in foretold.gained} == after - before
    assert {(user.pk, application.pk) for user, application in foretold.lost} == before - after
    assert name == "group" or before != after


def test_changes_together(whoami: Application, mallory: User, staff: Group) -> None:
    """One of them may make up for the other."""
    binding = whoami.bindings.get()

    found = difference([BindingRemoved(binding), BindingAdded(whoami, {"group": staff})])

    assert (found.gained, found.lost) == ([], [])


def test_warnings(whoami: Application, bob: User, staff: Group) -> None:
    """Counted, and named for whoever may see the users."""
    for number in range(7):
        staff.users.add(User.objects.create(username=f"u{number}"))
    change = BindingChanged(whoami.bindings.get(), {"negate": True})

    lost = warnings(change, named=True)[0]

    assert lost == "8 people lose access to “whoami”: bob, u0, u1, u2, u3 and 3 more."
    assert warnings(change, named=False)[0] == "8 people lose access to “whoami”."  # S-602
    assert warnings(MemberRemoved(staff, bob), named=True) == ["One person loses access to “whoami”: bob."]


def test_a_thousand_users_ask_the_database_no_more(wiki: Application, django_assert_max_num_queries: Any) -> None:
    """The same few questions, with rules that ask for groups, whoever many there are."""
    group = Group.objects.get(name="readers")
    users = User.objects.bulk_create(
        User(username=f"u{number}", folded_username=f"u{number}") for number in range(1000)
    )
    group.users.add(*users[:500])
    for number in range(5):
        application = create_application(SYSTEM, name=f"a{number}", slug=f"a{number}")
        bind(SYSTEM, application, group=group)

    with django_assert_max_num_queries(20):
        found = difference([GroupDeleted(group)])

    assert len(found.lost) == 500  # of the wiki, whose rule stays; the other five would be open to everybody
