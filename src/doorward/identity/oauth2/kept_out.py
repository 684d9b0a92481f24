"""Somebody is known and the application's access rules do not let them in: administrators hear of it.

Every time is on record (``doorward explain``); an event tells of it at most every five minutes for one person, one
application and one login or credential, because a page may ask a hundred times.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.events.actions import record
from doorward.identity.events.actor import Actor
from doorward.identity.events.subjects import describe
from doorward.identity.oauth2.repeated_logins import RepeatedLogins

WINDOW = 300.0
"""Seconds."""

_told = RepeatedLogins(window=WINDOW)


def kept_out(actor: Actor, application: Application, user: User, reasons: tuple[str, ...], by: str) -> None:
    """``policy_execution``, unless one told of the same a moment ago. ``by`` names the login or credential."""
    what = f"{application.pk}\0{user.pk}\0{by}"
    if _told.is_repeated(what):
        return
    with transaction.atomic():
        record(
            "policy_execution",
            "authentik.policies.engine",
            replace(actor, user=user),
            message=f"{user.username} may not enter {application.name}: {'; '.join(reasons) or 'no rule says yes'}",
            application=describe(application),
            result={"passing": False, "messages": list(reasons)},
        )
        transaction.on_commit(lambda: _told.recorded(what))
