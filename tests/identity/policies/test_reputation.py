"""Reputation: what logins do to it, what policies make of it, and what it does not tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorward.identity.directory.actions import update_user
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies import reputation
from doorward.identity.policies.actions import bind
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.judges import said_by
from doorward.identity.policies.models import Policy, Reputation, ReputationPolicy
from doorward.identity.stages.models import DummyStage
from identity.flow_tab import Tab

pytestmark = pytest.mark.django_db

HOME = "192.0.2.1"


def plain(policy: ReputationPolicy) -> Policy:
    """As bindings know it."""
    return Policy.objects.get(pk=policy.pk)


def test_failures_lower_and_successes_raise(bob: User) -> None:
    """Within bounds, and by the statement itself: nobody's count is lost."""
    for _ in range(7):
        reputation.failed(bob, "bob", HOME)
    assert reputation.score(name="bob") == -5
    for _ in range(12):
        reputation.succeeded(bob, HOME)
    assert reputation.score(name="bob") == 5
    assert Reputation.objects.count() == 1


def test_names_and_addresses_add_up(bob: User, mallory: User) -> None:
    """All of the name's, all of the address's, each row once."""
    reputation.failed(bob, "bob", HOME)
    reputation.failed(bob, "bob", "198.51.100.1")
    reputation.failed(mallory, "mallory", HOME)
    assert reputation.score(name="bob") == -2
    assert reputation.score(client_ip=HOME) == -2
    assert reputation.score(name="bob", client_ip=HOME) == -3
    assert reputation.score() == 0


def test_spellings_and_neighbours_are_one(bob: User) -> None:
    """A name however it is written, an address or mail instead of it, a host that changes within its /64."""  # S-507
    reputation.failed(bob, "BOB", "2001:db8:1:2::3")
    reputation.failed(bob, "bob@example.test", "2001:db8:1:2:ffff::1")
    reputation.failed(None, "ＢＯＢ", "2001:db8:1:2::9")
    assert Reputation.objects.count() == 1
    assert reputation.score(client_ip="2001:db8:1:2::77") == -3
    reputation.failed(bob, "bob", "::ffff:192.0.2.1")
    assert reputation.score(client_ip=HOME) == -1


def test_it_is_forgotten(bob: User) -> None:
    """A day after it changed last, whether or not it was swept away; the next failure begins anew."""  # S-811
    for _ in range(3):
        reputation.failed(bob, "bob", HOME)
    Reputation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert reputation.score(name="bob") == 0
    reputation.failed(bob, "bob", HOME)
    assert reputation.score(name="bob") == -1


def test_rows_are_bounded(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names are invented; the ones that changed longest ago go."""  # S-917
    monkeypatch.setattr(reputation, "MOST", 10)
    for number in range(25):
        reputation.failed(None, f"invented-{number}", HOME)
    reputation.forget_surplus()
    assert set(Reputation.objects.values_list("identifier", flat=True)) == {f"invented-{n}" for n in range(15, 25)}


def test_what_is_no_address_is_not_scored(bob: User) -> None:
    """An address is, also when it named nobody."""
    reputation.failed(bob, "bob", None)
    reputation.failed(bob, "bob", "unix")
    assert not Reputation.objects.exists()
    reputation.failed(None, "", HOME)
    assert reputation.score(client_ip=HOME) == -1
    assert reputation.score() == 0


@pytest.mark.parametrize(
    ("by_ip", "by_name", "failures", "passes"),
    [(True, True, 4, False), (True, True, 5, True), (False, True, 5, True), (True, False, 5, True)],
)
def test_a_policy_passes_for_the_bad(bob: User, by_ip: bool, by_name: bool, failures: int, passes: bool) -> None:
    """At its threshold and below."""
    policy = ReputationPolicy.objects.create(name="bad", check_ip=by_ip, check_username=by_name)
    for _ in range(failures):
        reputation.failed(bob, "bob", HOME)
    assert said_by(plain(policy), bob, Asked(client_ip=HOME)).passing is passes
    elsewhere = said_by(plain(policy), bob, Asked(client_ip="198.51.100.9"))
    assert elsewhere.passing is (passes and by_name)


# --- at the door -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hurdle(login_flows: None) -> FlowStageBinding:
    """A page between name and password, for those with a bad reputation."""
    flow = Flow.objects.get(slug="default-authentication-flow")
    binding = FlowStageBinding.objects.create(flow=flow, stage=DummyStage.objects.create(name="hurdle"), order=15)
    bind(Actor.system(), binding, policy=plain(ReputationPolicy.objects.create(name="bad", threshold=-3)))
    return binding


def visitor(address: str) -> Client:
    return Client(headers={"X-Forwarded-For": address})


def fails(name: str, times: int = 3, address: str = HOME) -> None:
    for _ in range(times):
        tab = Tab(visitor(address))
        tab.submit(uid_field=name)
        if not tab.has("password"):
            tab.submit()
        tab.submit(password="wrong wrong wrong")


def meets_the_hurdle(name: str, address: str = HOME) -> bool:
    tab = Tab(visitor(address))
    tab.submit(uid_field=name)
    return not tab.has("password")


def test_only_whoever_failed_before_meets_it(hurdle: FlowStageBinding, bob: User, password: str) -> None:
    """By name and by address; logging in well makes up for it."""
    assert not meets_the_hurdle("bob")
    fails("bob")
    assert meets_the_hurdle("bob"), "the name, here"
    assert meets_the_hurdle("bob", "198.51.100.1"), "and elsewhere"
    assert meets_the_hurdle("mallory"), "any name from this address"
    assert not meets_the_hurdle("mallory", "198.51.100.1")

    tab = Tab(visitor(HOME))
    tab.submit(uid_field="bob")
    tab.submit()
    assert tab.submit(password=password) == "/"
    assert not meets_the_hurdle("bob")


@pytest.mark.parametrize("name", ["bob", "nobody-has-this-name", "sleeping"])
def test_it_does_not_tell_who_has_an_account(hurdle: FlowStageBinding, bob: User, mallory: User, name: str) -> None:
    """Known, unknown, deactivated: the same after the same failures, from another address as well."""  # S-504
    update_user(Actor.system(), mallory, username="sleeping", is_active=False)
    fails(name)
    assert meets_the_hurdle(name, "198.51.100.1")


def test_wrong_codes_count_as_well(login_flows: None, bob: User, password: str) -> None:
    """A second factor that is guessed."""
    from identity.factors import give_app

    give_app(bob)
    tab = Tab(visitor(HOME))
    tab.log_in("bob", password)
    tab.submit(code="000000")
    assert reputation.score(name="bob") == -1
