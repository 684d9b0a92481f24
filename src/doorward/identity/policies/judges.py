"""What each kind of policy says about a user: it passes or not, and with which words.

A policy that cannot be judged raises; whoever asked decides what that means, and it is never "yes" by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.policies import reputation
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.expressions import evaluate
from doorward.identity.policies.models import (
    ExpressionPolicy,
    PasswordExpiryPolicy,
    PasswordPolicy,
    Policy,
    ReputationPolicy,
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
    return judge(getattr(policy, f"{policy.kind}policy"), user, asked)


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


JUDGES: dict[str, Callable[[Any, Person, Asked], Said]] = {
    ExpressionPolicy.KIND: _expression,
    PasswordExpiryPolicy.KIND: _password_expiry,
    PasswordPolicy.KIND: _password,
    ReputationPolicy.KIND: _reputation,
}
CONCRETE = tuple(f"policy__{kind}policy" for kind in JUDGES)
"""What to read with a binding, so that judging its policy asks the database for nothing more."""
