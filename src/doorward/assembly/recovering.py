"""What ``doorward recovery-link`` does: a way in for somebody who has none, made by whoever owns the state folder.

It works on the database itself, so it does so whether or not the program runs. Who can read the state folder could
read the key that everything is sealed with: nothing is given away that was not theirs already.
"""

from __future__ import annotations

import logging

from doorward.assembly.identity_process import set_environment
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan


class NoWayIn(Exception):
    """No link can be made; the text says why."""


def link(plan: Plan, folder: StateFolder, username: str) -> str:
    """A link, good once and for half an hour, with which ``username`` chooses a new password; on the record.

    Raises NoWayIn.
    """
    if not folder.secret_key.exists():
        raise NoWayIn(f"{folder.path} is no state folder: there is no secret.key in it")
    set_environment(plan, folder)
    from doorward.identity import bootstrap
    from doorward.tokens.secret_key import SecretKeyUnusable

    try:
        bootstrap.set_up_django()
    except SecretKeyUnusable as error:
        raise NoWayIn(str(error)) from error

    # The event is kept in the database; whoever typed the command need not read it as well.
    logging.getLogger("doorward.events").setLevel(logging.WARNING)

    from django.db import Error

    from doorward.identity.directory.models import User
    from doorward.identity.events.actor import Actor
    from doorward.identity.flows.recovery import link_for

    try:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise NoWayIn(f"there is no user {username!r}")
        if not user.is_active:
            raise NoWayIn(f"the user {username!r} is not active; an administrator can make them active again")
        made = link_for(Actor.system(), user)
    except Error as error:
        raise NoWayIn(f"the database cannot be used: {error}") from error
    if made is None:
        raise NoWayIn(
            "there is no flow with the designation Recovery that has an e-mail stage, behind which the link would "
            "lead. Start the program once: it makes what is missing."
        )
    return made
