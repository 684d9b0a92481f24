"""``python -m doorward.assembly FD``: the fresh interpreter that carries out the plan read from a descriptor.

The command line ends by becoming this (``exec``), so that nothing of it stays in memory.
"""

from __future__ import annotations

import gc
import os
import sys

import msgspec


def main(descriptor: int) -> int:
    # No collection before the fork: what it frees leaves holes in shared pages, and filling a hole copies its page.
    gc.disable()
    from doorward.messages.plan import Plan

    with os.fdopen(descriptor, "rb") as pipe:
        plan = msgspec.msgpack.decode(pipe.read(), type=Plan)

    # What all children share is imported before the fork, and its pages stay shared.
    from doorward.assembly import supervisor, worker_process  # noqa: F401 - worker_process for its pages

    gc.freeze()
    return supervisor.supervise(plan)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
