"""``python -m doorward.assembly FD``: the fresh interpreter that carries out the plan read from a descriptor.

The command line ends by becoming this (``exec``), so that nothing of it stays in memory. Without ``FD`` it takes over
from the supervisor that started it (``messages.handover``).
"""

from __future__ import annotations

import gc
import os
import sys

import msgspec


def main(arguments: list[str]) -> int:
    # No collection before the fork: what it frees leaves holes in shared pages, and filling a hole copies its page.
    gc.disable()
    from doorward.assembly.succession import Succession
    from doorward.messages.plan import Plan

    succession = None if arguments else Succession.of(os.environ)
    if succession is not None:
        plan = succession.plan
    else:
        with os.fdopen(int(arguments[0]), "rb") as pipe:
            plan = msgspec.msgpack.decode(pipe.read(), type=Plan)

    # What all children share is imported before the fork, and its pages stay shared. An import also writes on pages
    # that were shared before it, so that it pays even for what only one child runs.
    from doorward.assembly import supervisor, worker_process  # noqa: F401 - worker_process for its pages

    if plan.demo is not None:
        from doorward.assembly import whoami_process  # noqa: F401 - likewise

    gc.freeze()
    return supervisor.supervise(plan, succession)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
