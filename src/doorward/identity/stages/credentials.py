"""Checks a password on behalf of a stage: through the one throttled door, with the event of a failure."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doorward.identity.directory import passwords
from doorward.identity.directory.errors import Busy, TooManyAttempts
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import actions as events
from doorward.identity.policies import reputation
from doorward.identity.sources.ldap import logins as ldap
from doorward.identity.sources.ldap.places import NotAsked
from doorward.identity.stages.models import PasswordStage, Stage
from doorward.identity.stages.view import Malformed, Visit

INBUILT = "authentik.core.auth.InbuiltBackend"
TOKEN = "authentik.core.auth.TokenBackend"  # noqa: S105 - authentik's name


def check(
    visit: Visit, stage: Stage, rules: PasswordStage, user: User | None, identifier: str, password: str
) -> bool | Malformed:
    """Whether ``password`` is the user's, wherever ``rules`` says that passwords may come from.

    For a name that nobody has, the answer is no at the same price (S-504). ``stage`` is who asks, for the event.
    """
    actor = visit.actor
    backends = rules.backends or [INBUILT]
    others = [way for name, way in _OTHERS.items() if name in backends]
    try:
        right = passwords.attempt(user, identifier, password, actor.client_ip, own=INBUILT in backends, others=others)
    except NotAsked:
        failed(visit, stage, user, identifier, reason="the directory had no answer")
        return Malformed(_("Your password cannot be checked right now. Try again in a minute."), 503)
    except ValidationError as error:
        return Malformed(" ".join(error.messages))
    except Busy:
        return Malformed(_("Many people are logging in right now. Wait a few seconds and try again."), 429)
    except TooManyAttempts as limit:
        return too_many(limit)
    if not right:
        failed(visit, stage, user, identifier)
    return right


def _is_app_password(user: User | None, password: str) -> bool:
    """One that its user has made for everything; for a single application it opens no login."""
    token = token_by_key(password, [Token.Intent.APP_PASSWORD])
    return user is not None and token is not None and token.user_id == user.pk and token.application_id is None


_OTHERS = {TOKEN: _is_app_password, ldap.BACKEND: ldap.knows}


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
