"""Turns this process into the supervisor of a plan: a fresh interpreter without the command line's libraries."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import msgspec

from doorward.messages.plan import Plan


def program() -> tuple[str, ...]:
    """The command line of a supervisor of this version."""
    return (sys.executable, "-m", "doorward.assembly")


def launch(plan: Plan) -> NoReturn:
    """Become ``python -m doorward.assembly`` with ``plan``; never returns."""
    become("doorward.assembly", plan)


def become(module: str, plan: msgspec.Struct) -> NoReturn:
    """Become ``python -m`` this module with ``plan``; never returns."""
    # A file in memory and not a pipe: a plan may be larger than what a pipe takes without a reader.
    descriptor = os.memfd_create("doorward-plan", 0)
    os.write(descriptor, msgspec.msgpack.encode(plan))
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.set_inheritable(descriptor, True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_BOOTSTRAP_")}
    # glibc gives every thread heaps of its own; the identity child's few threads share one well.
    environment.setdefault("MALLOC_ARENA_MAX", "1")
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", module, str(descriptor)], environment)  # noqa: S606
