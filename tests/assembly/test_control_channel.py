"""The control channel: whoever connects is told everything, then every change."""

from __future__ import annotations

import asyncio
from pathlib import Path

from doorward.assembly.control_link import ControlLink
from doorward.assembly.session_ends import SessionEnds
from doorward.assembly.worker_links import Reply, WorkerLinks
from doorward.messages.control import (
    Counters,
    FromWorker,
    Hello,
    IdentityReadiness,
    MetricsText,
    MetricsWanted,
    SessionsEnded,
    ToWorker,
)


async def test_a_worker_hears_the_whole_state_then_changes_and_again_after_a_lost_channel(tmp_path: Path) -> None:
    """Nothing depends on having been there."""
    state: list[ToWorker] = [IdentityReadiness(True)]
    told: list[FromWorker] = []
    heard: asyncio.Queue[ToWorker] = asyncio.Queue()

    def answer(_pid: int, message: FromWorker, reply: Reply) -> None:
        told.append(message)
        if isinstance(message, MetricsWanted):
            reply(MetricsText(b"text"))

    gone: list[int] = []

    async def ended_since(position: int) -> SessionsEnded | None:
        return None

    links = WorkerLinks(lambda: state, ended_since, answer, gone.append, SessionEnds(1))
    server = await links.listen(tmp_path / "control.sock")
    link = ControlLink(tmp_path / "control.sock", lambda: Hello(7, 0), heard.put_nowait)
    task = asyncio.create_task(link.run())

    assert await heard.get() == IdentityReadiness(True)
    links.tell_all(SessionsEnded((b"x" * 32,)))
    assert await heard.get() == SessionsEnded((b"x" * 32,))
    assert link.tell(MetricsWanted())
    assert await heard.get() == MetricsText(b"text")
    assert link.tell(Counters({"a": 1}, {}))

    while Counters({"a": 1}, {}) not in told:
        await asyncio.sleep(0.01)
    for writer in list(links._writers):
        writer.close()
    assert await asyncio.wait_for(heard.get(), 5) == IdentityReadiness(True)

    task.cancel()
    server.close()
    while gone != [7, 7]:
        await asyncio.sleep(0.01)
