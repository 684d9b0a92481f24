"""The identity provider's engine in a command of its own, beside a running program or without one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from doorward.assembly.identity_process import set_environment
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan


class Unusable(Exception):
    """The folder, the database or the file cannot be used; the text says why."""


def set_up(plan: Plan, folder: StateFolder) -> None:
    """Make Django ready for whoever owns the state folder. Raises Unusable."""
    if not folder.secret_key.exists():
        raise Unusable(f"{folder.path} is no state folder: there is no secret.key in it")
    set_environment(plan, folder)
    from doorward.identity import bootstrap
    from doorward.tokens.secret_key import SecretKeyUnusable

    try:
        bootstrap.set_up_django()
    except SecretKeyUnusable as error:
        raise Unusable(str(error)) from error
    # The events are kept in the database; whoever typed the command reads the report instead.
    logging.getLogger("doorward.events").setLevel(logging.WARNING)


@contextmanager
def ready(plan: Plan, folder: StateFolder) -> Iterator[None]:
    """The same, and what the database or a blueprint does not let happen inside is Unusable too."""
    set_up(plan, folder)
    from django.db import Error

    from doorward.identity.blueprints.errors import Unusable as BadBlueprint

    try:
        yield
    except BadBlueprint as error:
        raise Unusable(str(error)) from error
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error
