"""The demonstration application as a child of the demo's process tree."""

from __future__ import annotations

import asyncio
import signal

from doorward.assembly.children import Notifier
from doorward.messages.plan import ChildFailed, Plan
from doorward.whoami.server import start


def run(plan: Plan, notifier: Notifier) -> None:
    assert plan.demo is not None
    asyncio.run(_run(plan.demo.whoami_port, notifier))


async def _run(port: int, notifier: Notifier) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        running = await start(port)
    except OSError as error:
        notifier.tell(ChildFailed(f"whoami cannot listen on 127.0.0.1:{port}: {error.strerror}"))
        raise SystemExit(1) from error
    notifier.ready()
    await stop.wait()
    await running.close()
