"""The private door for questions about decisions, and a worker's tries of its own chain behind it."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from doorward.assembly.explainer import Explainer
from doorward.messages.control import ToWorker
from doorward.messages.decisions import (
    ChainTried,
    Decided,
    Decision,
    DecisionsFound,
    FindDecisions,
    Trial,
    TrialOutcome,
    TryChain,
)
from doorward.net import explain_door
from doorward.net.explain_door import NobodyAnswers


async def test_records_are_told_and_asked_for_through_the_door(tmp_path: Path) -> None:
    """What the identity provider tells and what workers tell is found by whoever owns the state folder."""
    explainer, door = Explainer(lambda message: False), tmp_path / "explain.sock"
    server = await explainer.listen(door)
    assert stat.S_IMODE(door.stat().st_mode) == 0o600
    explainer.heard(Decided((Decision(id="a" * 32, at=1.0, reason="no_session"),)))
    await asyncio.to_thread(explain_door.tell, door, Decided((Decision(id="b" * 32, at=2.0, reason="access_denied"),)))
    found = await asyncio.to_thread(explain_door.ask, door, FindDecisions())
    while isinstance(found, DecisionsFound) and found.kept < 2:
        found = await asyncio.to_thread(explain_door.ask, door, FindDecisions())
    assert isinstance(found, DecisionsFound)
    assert [decision.id[0] for decision in found.decisions] == ["b", "a"]
    server.close()


async def test_a_try_is_made_by_a_worker_and_answered(tmp_path: Path) -> None:
    """The question goes to one worker, and its answer to the asker alone."""
    told: list[TryChain] = []

    def tell_one(message: ToWorker) -> bool:
        assert isinstance(message, TryChain)
        told.append(message)
        explainer.heard(ChainTried(message.ticket + 1000))  # somebody else's
        explainer.heard(ChainTried(message.ticket, (TrialOutcome(reached=True, status=204),)))
        return True

    explainer, door = Explainer(tell_one), tmp_path / "explain.sock"
    server = await explainer.listen(door)
    trial = Trial(host="app.example.test", tls=True)
    answer = await asyncio.to_thread(explain_door.ask, door, TryChain(0, (trial,)))
    assert isinstance(answer, ChainTried)
    assert answer.outcomes == (TrialOutcome(reached=True, status=204),)
    assert told[0].trials == (trial,)
    many = await asyncio.to_thread(explain_door.ask, door, TryChain(0, (trial,) * 41))
    assert isinstance(many, ChainTried)
    assert "too many" in many.problem
    server.close()


async def test_without_a_worker_or_a_program_the_asker_is_told(tmp_path: Path) -> None:
    """No worker is a problem that is named; no program raises."""
    explainer, door = Explainer(lambda message: False), tmp_path / "explain.sock"
    server = await explainer.listen(door)
    answer = await asyncio.to_thread(explain_door.ask, door, TryChain(0, ()))
    assert isinstance(answer, ChainTried)
    assert "no worker" in answer.problem
    server.close()
    with pytest.raises(NobodyAnswers):
        explain_door.ask(tmp_path / "nowhere.sock", FindDecisions())
