"""Forward auth keeps the rules about time and address: what a session is good for, and what ends it."""

from __future__ import annotations

from datetime import time, timedelta

import msgspec
import pytest
from django.utils import timezone

from doorward.identity.applications.models import Application
from doorward.identity.chores import runner
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.models import StoredSession
from doorward.identity.policies.actions import bind, create_policy, update_binding
from doorward.identity.policies.chores import NAME
from doorward.identity.policies.models import (
    DummyPolicy,
    ExpressionPolicy,
    NetworkPolicy,
    PolicyBinding,
    TimeWindowPolicy,
)
from doorward.messages.sessions import FindSession, ProxySession
from identity.proxied import ask, enter, is_known, log_in

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()
OFFICE = "192.0.2.7"


@pytest.fixture
def login(bob: User) -> LoginSession:
    login = log_in(bob)
    login.last_ip = OFFICE
    login.save()
    return login


def found(session: ProxySession, client_ip: str = OFFICE) -> ProxySession | None:
    status, body = ask("find-session", FindSession(session.id_hash, session.provider, client_ip))
    return msgspec.msgpack.decode(body, type=ProxySession) if status == 200 else None


def hours(opens: time, shuts: time) -> TimeWindowPolicy:
    return create_policy(
        SYSTEM, TimeWindowPolicy, name="hours", days=list(range(7)), start=opens, end=shuts, timezone="UTC"
    )


def test_without_such_rules_a_session_is_good_everywhere(whoami: Application, login: LoginSession) -> None:
    """Until a change is told; nothing is asked again."""
    session = found(enter(login, whoami))

    assert session is not None
    assert (session.good_until, session.good_at) == (0.0, "")


def test_a_network_lets_in_from_there_alone(whoami: Application, login: LoginSession) -> None:
    """The session is good at the address that was judged; from another, and from an unknown one, it is not there."""
    whoami.bindings.all().delete()
    bind(SYSTEM, whoami, policy=create_policy(SYSTEM, NetworkPolicy, name="office", networks=["192.0.2.0/24"]))
    session = enter(login, whoami)

    inside = found(session)

    assert inside is not None
    assert inside.good_at == OFFICE
    assert found(session, "203.0.113.9") is None
    assert found(session, "") is None
    assert found(session) is not None


def test_a_window_says_when_it_shuts(whoami: Application, login: LoginSession) -> None:
    """Then the worker asks again, and is told that it has."""
    whoami.bindings.all().delete()
    policy = hours(time(0), time(0))
    bind(SYSTEM, whoami, policy=policy)
    session = enter(login, whoami)
    inside = found(session)
    assert inside is not None
    assert 0 < inside.good_until - timezone.now().timestamp() <= 86400

    shut = (timezone.now() - timedelta(hours=2)).time().replace(microsecond=0)
    TimeWindowPolicy.objects.update(start=shut, end=(timezone.now() - timedelta(hours=1)).time())

    assert found(session) is None


def test_a_binding_that_ends_says_when(whoami: Application, login: LoginSession, bob: User) -> None:
    """And lets nobody in afterwards, whether or not anybody was told."""
    whoami.bindings.all().delete()
    ends = timezone.now() + timedelta(minutes=30)
    bind(SYSTEM, whoami, user=bob, expires=ends, expiring=True)
    session = enter(login, whoami)
    inside = found(session)
    assert inside is not None
    assert abs(inside.good_until - ends.timestamp()) < 1

    PolicyBinding.objects.update(expires=timezone.now())

    assert found(session) is None


@pytest.mark.parametrize(
    ("rule", "timed", "placed"),
    [
        ("return ak_client_ip in ip_network('192.0.2.0/24')", False, True),
        ("return now() > parse_datetime('2026-01-01T00:00:00+00:00')", True, False),
        ("return user.username == 'bob'", False, False),
    ],
)
def test_expressions_that_look_at_time_or_address(
    whoami: Application, login: LoginSession, rule: str, timed: bool, placed: bool
) -> None:
    """Are asked again; the others are not."""
    whoami.bindings.all().delete()
    bind(SYSTEM, whoami, policy=create_policy(SYSTEM, ExpressionPolicy, name="rule", expression=rule))
    inside = found(enter(login, whoami))

    assert inside is not None
    assert bool(inside.good_until) is timed
    assert bool(inside.good_at) is placed


def test_the_chore_ends_what_time_has_ended(whoami: Application, login: LoginSession, bob: User, staff: Group) -> None:
    """Sessions are gone, and workers are told, although nobody asked again."""
    whoami.bindings.all().delete()
    bind(SYSTEM, whoami, user=bob, expires=timezone.now() + timedelta(seconds=30), expiring=True)
    session = enter(login, whoami)
    runner.run_now(NAME)
    assert StoredSession.objects.exists()

    PolicyBinding.objects.update(expires=timezone.now())
    runner.run_now(NAME)

    assert not StoredSession.objects.exists()
    assert Change.objects.filter(kind="session-ended", subject=session.id_hash.hex()).exists()


def test_workers_are_told_to_ask_when_such_a_rule_comes(whoami: Application, login: LoginSession, bob: User) -> None:
    """They forget the session without its ending: the next request has it looked at."""
    session = enter(login, whoami)
    whoami.bindings.all().delete()
    yes = create_policy(SYSTEM, DummyPolicy, name="yes", result=True)
    bind(SYSTEM, whoami, policy=yes)
    told = Change.objects.filter(kind="session-ended", subject=session.id_hash.hex())
    assert not told.exists()

    binding = bind(SYSTEM, whoami, user=bob)
    update_binding(SYSTEM, binding, expires=timezone.now() + timedelta(hours=1), expiring=True)

    assert is_known(session)
    assert told.exists()
