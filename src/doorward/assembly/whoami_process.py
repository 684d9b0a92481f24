"""The demonstration application as a child of the demo's process tree."""

from __future__ import annotations

import asyncio
import signal
import socket

from doorward.assembly.children import Notifier
from doorward.messages.plan import Plan
from doorward.whoami.server import start


def run(plan: Plan, listener: socket.socket, notifier: Notifier) -> None:
    """``listener``: made by the supervisor, because a new version takes it over."""
    assert plan.demo is not None
    asyncio.run(_run(plan.demo.whoami_port, listener, notifier))


async def _run(port: int, listener: socket.socket, notifier: Notifier) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = await start(port, listener=listener)
    notifier.ready()
    await stop.wait()
    await running.close()
