"""Make the database ready before anything is served: schema, default objects, first administrator.

Importable without Django being set up; ``prepare`` sets it up, from the environment (see ``settings``).
"""

from __future__ import annotations

import fcntl
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


class CannotPrepare(Exception):
    """The program cannot start on this state; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What the operator wishes for the first start (``DOORWARD_BOOTSTRAP_*``); ignored on later ones."""

    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    """Key of the API token ``authentik-bootstrap-token``: 32 or more characters."""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """``generated_password`` is set only when this very start made it; it is kept nowhere else."""

    first_start: bool
    generated_password: str | None = field(default=None, repr=False)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def prepare(bootstrap: Bootstrap, progress: Callable[[str], None] = _say) -> Prepared:
    """Bring the database up to date and give it what a new installation has; ``progress`` is told what takes time.

    Only one process at a time does this; others wait. Raises CannotPrepare, OSError, django.db.Error.
    """
    set_up_django()
    # Models can be imported only now that Django is set up.
    first_start = importlib.import_module("doorward.identity.first_start")
    schema = importlib.import_module("doorward.identity.schema")
    with _alone(schema.state_folder()):
        schema.bring_up_to_date(progress)
        first_start.make_defaults()
        prepared = first_start.begin(bootstrap)
    assert isinstance(prepared, Prepared)
    schema.close_connections()
    return prepared


def set_up_django() -> None:
    """Read the settings and load the applications; safe to call again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doorward.identity.settings")
    importlib.import_module("django").setup()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the state folder's lock; waits for whoever holds it (S-809)."""
    descriptor = os.open(folder / "prepare.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
