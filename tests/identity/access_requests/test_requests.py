"""Access on request: asked for, given by whoever may, ended by itself, and on the record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from doorward.identity.access_requests import actions, queries
from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import create_group, create_user
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.mail.models import Letter
from doorward.identity.policies.models import PolicyBinding
from doorward.identity.policies.queries import verdict
from identity.proxied import enter, is_known, log_in

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def by(user: User) -> Actor:
    return Actor(user=user, client_ip="192.0.2.1", request_id="r")


def soon(**time: float) -> datetime:
    return timezone.now() + timedelta(**(time or {"days": 1}))


@pytest.fixture
def owner(db: None) -> User:
    return create_user(SYSTEM, username="owner", email="owner@example.test")


@pytest.fixture
def offer(whoami: Application, owner: User, staff: Group) -> AccessOffer:
    """Who may enter is staff; mallory is not."""
    return actions.set_offer(SYSTEM, whoami, enabled=True, longest="days=7", approver_users=[owner], approver_groups=[])


@pytest.fixture
def asked(offer: AccessOffer, mallory: User) -> AccessRequest:
    return actions.ask(by(mallory), offer.application, mallory, reason="the audit", until=soon())


def test_it_is_given_until_its_date_and_ends_by_itself(asked: AccessRequest, owner: User, mallory: User) -> None:
    """With nobody doing anything; a session that it has opened is over as well."""
    whoami = asked.application
    assert not verdict(whoami, mallory).passing

    actions.approve(by(owner), asked, until=soon(hours=2), answer="Good luck.")

    assert verdict(whoami, mallory).passing
    session = enter(log_in(mallory), whoami)
    assert is_known(session)
    PolicyBinding.objects.filter(is_grant=True).update(expires=timezone.now())
    assert not verdict(whoami, mallory).passing
    assert not is_known(session)


def test_everything_is_on_the_record(asked: AccessRequest, owner: User) -> None:
    """Who asked, who gave, who took back, for what and until when."""  # S-619
    actions.approve(by(owner), asked)
    actions.revoke(by(owner), asked, answer="That is enough.")

    events = Event.objects.filter(action__startswith="access_request_").order_by("created")
    assert [(event.action, event.user["username"]) for event in events] == [
        ("access_request_created", "mallory"),
        ("access_request_approved", "owner"),
        ("access_request_revoked", "owner"),
    ]
    assert events[0].context["access_request"]["reason"] == "the audit"


def test_what_is_taken_back_ends_at_once(asked: AccessRequest, owner: User, mallory: User) -> None:
    """The session too; there is nothing to take back a second time."""
    actions.approve(by(owner), asked)
    session = enter(log_in(mallory), asked.application)

    actions.revoke(by(owner), asked)

    assert not is_known(session)
    assert not verdict(asked.application, mallory).passing
    with pytest.raises(Refused):
        actions.revoke(by(owner), asked)


def test_whoever_has_it_may_give_it_back(asked: AccessRequest, owner: User, mallory: User) -> None:
    """And withdraw what nobody has answered."""
    actions.approve(by(owner), asked)
    actions.revoke(by(mallory), asked)
    assert not verdict(asked.application, mallory).passing

    again = actions.ask(by(mallory), asked.application, mallory, reason="once more", until=soon())
    actions.withdraw(by(mallory), again)
    assert AccessRequest.objects.get(pk=again.pk).status == "withdrawn"


def test_it_is_shortened_and_never_made_longer(asked: AccessRequest, owner: User) -> None:
    """What was asked for is the most that is given."""
    actions.approve(by(owner), asked, until=soon(days=5))
    assert asked.binding is not None
    assert asked.binding.expires == asked.until
    assert asked.until < soon(days=2)

    actions.shorten(by(owner), asked, until=soon(hours=1))

    assert PolicyBinding.objects.get(is_grant=True).expires < soon(hours=2)  # type: ignore[operator]
    with pytest.raises(ValidationError):
        actions.shorten(by(owner), asked, until=soon(days=1))


@pytest.mark.parametrize("until", [timedelta(days=-1), timedelta(days=8)])
def test_not_longer_than_the_application_allows(offer: AccessOffer, mallory: User, until: timedelta) -> None:
    """Nor in the past."""
    with pytest.raises(ValidationError):
        actions.ask(SYSTEM, offer.application, mallory, reason="x", until=timezone.now() + until)


def test_one_request_at_a_time(asked: AccessRequest, mallory: User) -> None:
    """Approvers are not asked twice about the same."""
    with pytest.raises(Refused, match="asked already"):
        actions.ask(by(mallory), asked.application, mallory, reason="please", until=soon())


def test_whoever_may_enter_has_nothing_to_ask_for(offer: AccessOffer, bob: User) -> None:
    """Bob is staff."""
    with pytest.raises(Refused, match="already"):
        actions.ask(by(bob), offer.application, bob, reason="x", until=soon())


def test_what_is_not_offered_cannot_be_asked_for(whoami: Application, mallory: User) -> None:
    """It is an administrator who lets it be."""
    with pytest.raises(Refused):
        actions.ask(by(mallory), whoami, mallory, reason="x", until=soon())


def test_nobody_decides_about_themselves(asked: AccessRequest, mallory: User, owner: User, akadmin: User) -> None:
    """Not as an approver, not as a superuser, not while acting as one."""  # S-603
    asked.application.offer.approver_users.add(mallory)
    with pytest.raises(PermissionDenied):
        actions.approve(by(mallory), asked)
    akadmin.groups.first().users.add(mallory)  # type: ignore[union-attr]
    with pytest.raises(PermissionDenied):
        actions.approve(by(mallory), asked)
    acting = Actor(user=owner, client_ip=None, request_id="r", impersonator=mallory)
    with pytest.raises(PermissionDenied):
        actions.approve(acting, asked)
    assert not verdict(asked.application, mallory).passing


def test_who_decides(asked: AccessRequest, bob: User, owner: User, akadmin: User) -> None:
    """Named users, members of named groups and of those below them, superusers; nobody else."""  # S-602
    above = create_group(SYSTEM, name="owners")
    below = create_group(SYSTEM, name="deputies")
    below.parents.add(above)
    asked.application.offer.approver_groups.add(above)
    assert queries.may_decide(owner, asked)
    assert queries.may_decide(akadmin, asked)
    assert not queries.may_decide(bob, asked)

    below.users.add(bob)

    assert queries.may_decide(bob, asked)
    assert {user.username for user in queries.approvers(asked.application.offer)} == {"owner", "bob"}
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert not queries.may_decide(User.objects.get(pk=bob.pk), asked)


def test_letters(mailer: None, offer: AccessOffer, owner: User, mallory: User) -> None:
    """Whoever decides is told, and whoever asked hears the answer."""
    User.objects.filter(pk=mallory.pk).update(email="mallory@example.test")
    mallory.refresh_from_db()
    asked = actions.ask(by(mallory), offer.application, mallory, reason="the audit", until=soon())
    assert Letter.objects.count() == 1

    actions.deny(by(owner), asked, answer="No.")

    assert Letter.objects.count() == 2


@pytest.fixture
def mailer(settings: object, tmp_path: object) -> None:
    settings.MAIL = f"file://{tmp_path}?from=login@example.test"  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", [actions.approve, actions.deny])
def test_two_who_decide_at_once(
    asked: AccessRequest, owner: User, akadmin: User, second: Callable[..., AccessRequest]
) -> None:
    """One of them does; there is one grant at most."""
    start, outcomes = threading.Barrier(2), []

    def decide(what: Callable[..., AccessRequest], who: User) -> None:
        try:
            start.wait()
            what(by(who), AccessRequest.objects.get(pk=asked.pk))
            outcomes.append("done")
        except Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=decide, args=(actions.approve, owner)),
        threading.Thread(target=decide, args=(second, akadmin)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "refused"]
    status = AccessRequest.objects.get(pk=asked.pk).status
    assert PolicyBinding.objects.filter(is_grant=True).count() == (status == "approved")


def test_who_decides_must_be_named(whoami: Application) -> None:
    """An offer that nobody can answer is none."""
    with pytest.raises(ValidationError, match="who decides"):
        actions.set_offer(SYSTEM, whoami, enabled=True, longest="days=1", approver_users=[], approver_groups=[])
