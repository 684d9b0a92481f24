"""A sign-out is answered when no worker lets that browser pass any more, and never much later."""  # S-325

from __future__ import annotations

import asyncio

import pytest

from doorward.assembly import sign_outs
from doorward.assembly.session_ends import SessionEnds
from doorward.assembly.sign_outs import SignOutQuestions, SignOuts


async def settled(task: asyncio.Task[bool]) -> bool:
    """Whether ``task`` is done after everything that can happen by itself has happened."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_it_waits_for_the_last_worker() -> None:
    """Each has to say that it has forgotten, not only most of them."""
    ends = SessionEnds(2, alive=lambda pid: True)
    ends.came(11, 0, -1)
    ends.came(12, 1, -1)
    ends.told(7)
    waiting = asyncio.create_task(ends.all_know(30))

    ends.forgot(11, 7)
    assert not await settled(waiting)
    ends.forgot(12, 7)

    assert await waiting


async def test_a_worker_that_came_later_knows_nothing_old() -> None:
    """One that has just started cannot remember what ended before."""
    ends = SessionEnds(1, alive=lambda pid: True)
    ends.told(7)
    ends.came(11, 0, -1)

    assert await ends.all_know(0)


async def test_it_does_not_wait_for_the_dead() -> None:
    """A worker that crashed remembers nothing; one that only lost its channel does."""
    living = {11, 12}
    ends = SessionEnds(2, alive=living.__contains__)
    ends.came(11, 0, -1)
    ends.came(12, 1, -1)
    ends.told(7)
    ends.forgot(11, 7)
    ends.gone(12)
    waiting = asyncio.create_task(ends.all_know(30))
    assert not await settled(waiting)

    living.discard(12)

    assert await waiting


async def test_a_new_control_process_waits_until_every_worker_is_back() -> None:
    """Whoever has not said hello yet may remember anything."""
    ends = SessionEnds(2, alive=lambda pid: True)
    ends.came(11, 0, 3)
    waiting = asyncio.create_task(ends.all_know(30))
    assert not await settled(waiting)

    ends.came(12, 1, 3)

    assert await waiting


async def test_the_wait_is_bounded() -> None:
    """A worker that hangs keeps nobody from signing out; the log says so."""
    ends = SessionEnds(1, alive=lambda pid: True)
    ends.came(11, 0, -1)
    ends.told(7)

    assert not await ends.all_know(0.01)


async def test_question_and_answer() -> None:
    """The log is read at once, and the worker that asked goes on when the last one has said that it knows."""
    said: list[str] = []
    ends = SessionEnds(1, alive=lambda pid: True)
    ends.came(11, 0, -1)

    async def look() -> bool:
        ends.told(7)
        ends.forgot(11, 7)
        return True

    control = SignOuts(look, ends, lambda: True, said.append)

    def ask(number: int) -> bool:
        control.asked(lambda: worker.answered(number))
        return True

    worker = SignOutQuestions(ask, said.append)

    await worker.told()

    assert said == []


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a control process the sign-out is answered after a while, and the log says so."""
    monkeypatch.setattr(sign_outs, "PATIENCE", 0.05)
    said: list[str] = []

    await SignOutQuestions(lambda number: False, said.append).told()

    assert len(said) == 1
