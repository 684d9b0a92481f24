"""Which events a policy speaks of: what notification rules are judged by."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.event_query import QueryInvalid, parse
from doorward.identity.policies.judges import matches
from doorward.identity.policies.models import EventMatcherPolicy, ExpressionPolicy, Policy, PolicyTarget
from doorward.identity.policies.queries import verdict

SYSTEM = Actor.system()


@pytest.fixture
def failed(bob: User) -> Event:
    model = {"app": "authentik_core", "model_name": "user", "name": "bob", "pk": "1"}
    actor = Actor(user=bob, client_ip="192.0.2.7", request_id="1")
    return events.record("login_failed", "authentik.core.auth", actor, model=model, attempts=3)


@pytest.mark.parametrize(
    ("asked", "matched"),
    [
        ({}, True),
        ({"action": "login_failed"}, True),
        ({"action": "login"}, False),
        ({"app": "authentik.core.auth", "action": "login_failed"}, True),
        ({"app": "authentik.core.auth", "action": "login"}, False),
        ({"model": "authentik_core.user"}, True),
        ({"model": "authentik_core.group"}, False),
        ({"client_ip": "192.0.2.7"}, True),
        ({"client_ip": "192.0.2.0/24"}, True),
        ({"client_ip": "192.0.3.0/24"}, False),
        ({"query": 'user.username = "bob"'}, True),
        ({"query": "context.attempts >= 3", "action": "login_failed"}, True),
        ({"query": "context.attempts > 3"}, False),
    ],
)
@pytest.mark.django_db
def test_all_that_it_asks_for(failed: Event, asked: dict[str, str], matched: bool) -> None:
    """Nothing asked for is every event; every part that is asked for must be so."""
    policy = create_policy(SYSTEM, EventMatcherPolicy, name="m", **asked)

    assert matches(Policy.objects.get(pk=policy.pk), failed) is matched


@pytest.mark.django_db
def test_other_kinds_judge_who_did_it(failed: Event, staff: Group) -> None:
    """By their rules, with the event at hand."""
    rule = create_policy(
        SYSTEM,
        ExpressionPolicy,
        name="rule",
        expression='return context["event"]["action"] == "login_failed" and user.username == "bob"',
    )

    assert matches(rule, failed)


@pytest.mark.django_db
def test_where_there_is_no_event(bob: User) -> None:
    """Bound to a door, an event matcher opens it to nobody."""
    door = PolicyTarget.objects.create()
    bind(SYSTEM, door, policy=create_policy(SYSTEM, EventMatcherPolicy, name="m"))

    assert not verdict(door, bob).passing


FACTS = {"action": "login", "user": {"username": "bob", "pk": 5}, "context": {"auth_method": "password"}, "app": None}


@pytest.mark.parametrize(
    ("query", "so"),
    [
        ('action = "login"', True),
        ("action != 'login'", False),
        ('action in ("logout", "login")', True),
        ('action not in ("logout", "login")', False),
        ('action startswith "log" and not action endswith "out"', True),
        ('user.username ~ "BO"', True),
        ('user.username !~ "x" or action = "x"', True),
        ("user.pk = 5 and user.pk < 6 and user.pk > -1", True),
        ('user.pk = "5"', False),
        ("context.nothing.inside = None", True),
        ('context.auth_method > "a" and (action = "x" or app = None)', True),
        ("user = True", False),
        (r'action = "a \"quoted\" word"', False),
    ],
)
def test_queries(query: str, so: bool) -> None:
    """Fields, comparisons, and, or, not, parentheses."""
    assert parse(query)(FACTS) is so


@pytest.mark.parametrize(
    "query",
    [
        "action",
        "action =",
        "= 1",
        'action = "open',
        "action = login",
        '(action = "x"',
        'action = "x")',
        "action in ()",
        "action = 1 action = 2",
        "user.__class__.__mro__ = __import__('os')",
        "(" * 30 + "a = 1" + ")" * 30,
        "not " * 30 + "a = 1",
        'a = "' + "x" * 5000 + '"',
    ],
)
def test_what_is_no_query(query: str) -> None:
    """It is refused with a sentence, however it is nested."""
    # S-612
    with pytest.raises(QueryInvalid):
        parse(query)


@pytest.mark.django_db
def test_no_such_query_is_kept() -> None:
    """Refused when it is saved, at its field."""
    with pytest.raises(ValidationError, match="no field, text, number"):
        create_policy(SYSTEM, EventMatcherPolicy, name="m", query="action = ;")
