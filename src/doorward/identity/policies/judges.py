"""What each kind of policy says about a user: it passes or not, and with which words.

A policy that cannot be judged raises; whoever asked decides what that means, and it is never "yes" by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event
from doorward.identity.policies import event_matching, geography, reputation, windows
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.expressions import evaluate
from doorward.identity.policies.models import (
    DummyPolicy,
    EventMatcherPolicy,
    ExpressionPolicy,
    GeoIPPolicy,
    NetworkPolicy,
    PasswordExpiryPolicy,
    PasswordPolicy,
    Policy,
    ReputationPolicy,
    TimeWindowPolicy,
    UniquePasswordPolicy,
)
from doorward.identity.policies.password_rules import refusals

Person = User | AnonymousUser


class Unjudged(Exception):
    """A policy that cannot say anything here."""


@dataclass(frozen=True, slots=True)
class Said:
    """One policy's word."""

    passing: bool
    messages: tuple[str, ...] = ()
    """For the user."""
    log: tuple[str, ...] = ()
    """For administrators."""


def said_by(policy: Policy, user: Person, asked: Asked) -> Said:
    """Raises Unjudged, ExpressionFailed, Busy."""
    judge = JUDGES.get(policy.kind)
    if judge is None:
        raise Unjudged(f"policies of the kind “{policy.kind}” cannot be bound")
    return judge(policy.concrete(), user, asked)


def matches(policy: Policy, event: Event) -> bool:
    """Whether ``policy`` speaks of ``event``: an event matcher by what it asks for; one of any other kind by judging
    whoever did it, from where it was done, with the event as ``context["event"]``. Raises what ``said_by`` raises."""
    who = event.user if isinstance(event.user, dict) else {}
    doer = who.get("on_behalf_of") or who
    pk = doer.get("pk") if isinstance(doer, dict) else None
    user = User.objects.filter(pk=pk).first() if isinstance(pk, int) else None
    asked = Asked(client_ip=event.client_ip or "", context={"event": event_matching.facts_of(event)})
    return said_by(policy, user or AnonymousUser(), asked).passing


def _expression(policy: ExpressionPolicy, user: Person, asked: Asked) -> Said:
    found = evaluate(policy.expression, user, asked)
    return Said(bool(found.value), found.messages, found.log)


def _password_expiry(policy: PasswordExpiryPolicy, user: Person, asked: Asked) -> Said:
    del asked
    if not isinstance(user, User):
        return Said(False)
    age = timezone.now() - user.password_change_date
    if age.days < policy.days:
        return Said(True)
    return Said(False, (_("Your password is %(n)s days old. Choose a new one.") % {"n": age.days},))


def _password(policy: PasswordPolicy, user: Person, asked: Asked) -> Said:
    prompts = asked.context.get("prompt_data")
    password = prompts.get(policy.password_field) if isinstance(prompts, dict) else None
    if not isinstance(password, str):
        return Said(False, ("No password was given.",))
    sentences = tuple(refusals([policy], password, user if isinstance(user, User) else None))
    return Said(not sentences, sentences)


def _reputation(policy: ReputationPolicy, user: Person, asked: Asked) -> Said:
    typed = asked.context.get("pending_user_identifier")
    name = reputation.name_of(user if isinstance(user, User) else None, typed if isinstance(typed, str) else "")
    score = reputation.score(
        name=name if policy.check_username else "", client_ip=asked.client_ip if policy.check_ip else ""
    )
    return Said(score <= policy.threshold, (), (f"The score is {score}.",))


def _dummy(policy: DummyPolicy, user: Person, asked: Asked) -> Said:
    del user, asked
    return Said(policy.result)


def _event_matcher(policy: EventMatcherPolicy, user: Person, asked: Asked) -> Said:
    del user
    facts = asked.context.get("event")
    if not isinstance(facts, Mapping):
        return Said(False, (), ("There is no event here to look at.",))
    return Said(event_matching.speaks_of(policy, facts))


def _network(policy: NetworkPolicy, user: Person, asked: Asked) -> Said:
    del user
    try:
        address = ipaddress.ip_address(asked.client_ip)
    except ValueError:
        return Said(False, (_("It is not known from which network you come."),))
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in ipaddress.ip_network(each, strict=False) for each in policy.networks):
        return Said(True)
    return Said(False, (_("That is not open to the network you come from."),))


def _time_window(policy: TimeWindowPolicy, user: Person, asked: Asked) -> Said:
    del user, asked
    if windows.is_open(policy, timezone.now()):
        return Said(True)
    return Said(False, (_("That is not open at this time."),))


def _geoip(policy: GeoIPPolicy, user: Person, asked: Asked) -> Said:
    sentences = geography.refusals(policy, user if isinstance(user, User) else None, asked.client_ip)
    return Said(not sentences, sentences)


JUDGES: dict[str, Callable[[Any, Person, Asked], Said]] = {
    ExpressionPolicy.KIND: _expression,
    PasswordExpiryPolicy.KIND: _password_expiry,
    PasswordPolicy.KIND: _password,
    UniquePasswordPolicy.KIND: _password,
    ReputationPolicy.KIND: _reputation,
    DummyPolicy.KIND: _dummy,
    EventMatcherPolicy.KIND: _event_matcher,
    NetworkPolicy.KIND: _network,
    TimeWindowPolicy.KIND: _time_window,
    GeoIPPolicy.KIND: _geoip,
}
SAME_FOR_ALL = frozenset({DummyPolicy.KIND, EventMatcherPolicy.KIND, NetworkPolicy.KIND, TimeWindowPolicy.KIND})
"""Kinds that do not look at the user."""
CONCRETE = tuple(f"policy__{kind}policy" for kind in JUDGES if kind != UniquePasswordPolicy.KIND)
"""What to read with a binding, so that judging its policy asks the database for nothing more."""
