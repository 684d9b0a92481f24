"""What ``doorward rotate-secret-key`` does, for whoever owns the state folder of a program that is stopped."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from doorward.assembly import django_alone, state_folder
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan
from doorward.tokens.secret_key import SecretKeyUnusable, read_secret_keys


class Unusable(Exception):
    """The key is not exchanged, or not to the end; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rotated:
    resumed: bool
    """An earlier run had been interrupted."""
    rows: int
    unreadable: tuple[str, ...]


def rotate(plan: Plan, folder: StateFolder, progress: Callable[[int, int], None]) -> Rotated:
    """Exchange the secret key, or go on where that was interrupted. Raises Unusable."""
    if not folder.secret_key.exists():
        raise Unusable(f"{folder.path} is no state folder: there is no secret.key in it")
    try:
        lock = state_folder.locked(folder.path)
    except state_folder.StateFolderUnusable as error:
        raise Unusable(f"{error} It would go on sealing with the key that it has read.") from error
    try:
        resumed = bool(read_secret_keys(folder.secret_key).old)
        if not resumed:
            # In a process of its own: Django reads the file when it is set up, and that file is written anew here.
            with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
                pool.submit(_begin, plan, folder).result()
        rows, unreadable = _go_on(plan, folder, progress)
    except (SecretKeyUnusable, OSError) as error:
        raise Unusable(f"the secret key cannot be exchanged: {error}") from error
    finally:
        os.close(lock)
    return Rotated(resumed, rows, unreadable)


def _begin(plan: Plan, folder: StateFolder) -> None:
    _set_up(plan, folder)
    from django.db import Error, connection

    from doorward.identity.crypto import rotation

    try:
        rotation.begin(folder.secret_key)
    except (rotation.CannotRotate, Error) as error:
        raise Unusable(f"nothing was changed: {error}") from error
    finally:
        connection.close()


def _go_on(plan: Plan, folder: StateFolder, progress: Callable[[int, int], None]) -> tuple[int, tuple[str, ...]]:
    _set_up(plan, folder)
    from django.db import Error

    from doorward.identity.crypto import rotation

    try:
        rotation.require_nobody_else()
        done = rotation.renew(progress)
        rotation.finish(folder.secret_key, done)
    except (rotation.CannotRotate, Error) as error:
        raise Unusable(
            f"the secret key is not exchanged to the end, and both keys are still read: {error}. "
            "Run the command again; it goes on from there."
        ) from error
    return done.rows, tuple(done.unreadable)


def _set_up(plan: Plan, folder: StateFolder) -> None:
    try:
        django_alone.set_up(plan, folder)
    except django_alone.Unusable as error:
        raise Unusable(str(error)) from error
    from doorward.identity import bootstrap, schema

    try:
        with schema.answering():
            schema.bring_up_to_date(lambda text: None)
    except bootstrap.CannotPrepare as error:
        raise Unusable(str(error)) from error
