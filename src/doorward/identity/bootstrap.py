"""Make the database ready before anything is served: schema, default objects, first administrator, blueprints.

Importable without Django being set up; ``prepare`` sets it up, from the environment (see ``settings``).
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

RESTORE_PENDING = "restore-pending.json"
"""In the state folder: a database from a backup is to come, and begins its epoch when the program starts with it."""


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

    Only one process at a time does this; others wait. It happens in a forked child, because what migrations leave
    behind in memory (15 MB) would stay with the process that serves. Raises CannotPrepare.
    """
    set_up_django()
    return _in_a_child(lambda: _prepare(bootstrap, progress))


def _prepare(bootstrap: Bootstrap, progress: Callable[[str], None]) -> Prepared:
    # Models can be imported only now that Django is set up.
    first_start = importlib.import_module("doorward.identity.first_start")
    schema = importlib.import_module("doorward.identity.schema")
    with _alone(schema.state_folder()), schema.answering():
        schema.bring_up_to_date(progress)
        if (schema.state_folder() / RESTORE_PENDING).exists():
            progress("Ending the sessions and tokens of the restored database")
            importlib.import_module("doorward.identity.epoch").begin_pending()
        first_start.make_defaults()
        first_start.make_rules()
        prepared = first_start.begin(bootstrap)
        importlib.import_module("doorward.identity.blueprints.actions").apply_changed()
    assert isinstance(prepared, Prepared)
    return prepared


def _in_a_child(work: Callable[[], Prepared]) -> Prepared:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_and_tell(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise CannotPrepare("The database could not be prepared; the lines above say why.")
    answer = json.loads(told)
    if "refused" in answer:
        raise CannotPrepare(answer["refused"])
    return Prepared(**answer)


def _work_and_tell(work: Callable[[], Prepared], writing: int) -> NoReturn:
    status = 1
    try:
        try:
            told = asdict(work())
        except CannotPrepare as refusal:
            told = {"refused": str(refusal)}
        os.write(writing, json.dumps(told).encode())
        status = 0
    except BrokenPipeError:
        pass  # the program was stopped meanwhile; what was done stays done, and the next start goes on from there
    except BaseException:  # noqa: BLE001 - the end of a forked process: nothing of the parent's may run here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


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
