"""Checks a password on behalf of a stage: through the one throttled door, with the event of a failure."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doorward.identity.directory import passwords
from doorward.identity.directory.errors import Busy, TooManyAttempts
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.policies import reputation
from doorward.identity.stages.models import Stage
from doorward.identity.stages.view import Malformed, Visit


def check(visit: Visit, stage: Stage, user: User | None, identifier: str, password: str) -> bool | Malformed:
    """Whether ``password`` is the user's. For a name that nobody has, the answer is no at the same price (S-504)."""
    actor = visit.actor
    try:
        right = passwords.attempt(user, identifier, password, actor.client_ip)
    except ValidationError as error:
        return Malformed(" ".join(error.messages))
    except Busy:
        return Malformed(_("Many people are logging in right now. Wait a few seconds and try again."), 429)
    except TooManyAttempts as limit:
        return too_many(limit)
    if not right:
        failed(visit, stage, user, identifier)
    return right


def failed(visit: Visit, stage: Stage, user: User | None, named: str, **more: object) -> None:
    """The event of a proof that did not do, and what it costs the name and the address."""
    events.record("login_failed", "authentik.core", visit.actor, stage=stage.name, username=named, **more)
    reputation.failed(user, named, visit.actor.client_ip)


def too_many(limit: TooManyAttempts) -> Malformed:
    """What a page says to an address that fails too often."""
    minutes = max(1, round(limit.retry_after / 60))
    return Malformed(
        ngettext(
            "Too many failed logins came from your address. Try again in %(n)s minute.",
            "Too many failed logins came from your address. Try again in %(n)s minutes.",
            minutes,
        )
        % {"n": minutes},
        429,
    )
