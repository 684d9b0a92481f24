"""The identity provider's way to the control process, which keeps the records of refusals and reaches the workers."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from doorward.messages.decisions import (
    OPEN,
    SILENT,
    AdministratorAtWork,
    ChainTried,
    Decided,
    Decision,
    DecisionsFound,
    Examine,
    Examined,
    FindDecisions,
    FindProbes,
    Probed,
    ProbesFound,
    Trial,
    TrialOutcome,
    TryChain,
)
from doorward.net import explain_door
from doorward.net.explain_door import NobodyAnswers

SAID_AGAIN = 60.0
"""Seconds after which it is said again that an administrator is at work."""
_said_at = -SAID_AGAIN


class Unavailable(Exception):
    """The data plane does not answer, or could not do what was asked; the text is for administrators."""


def _door() -> Path:
    path = os.environ.get("DOORWARD_EXPLAIN_SOCKET", "")
    if not path:
        raise Unavailable("This identity provider runs without a data plane of its own.")
    return Path(path)


def find(wanted: FindDecisions) -> DecisionsFound:
    """Raises Unavailable."""
    try:
        answer = explain_door.ask(_door(), wanted, patience=5.0)
    except NobodyAnswers as error:
        raise Unavailable(f"The control process does not answer: {error}") from error
    assert isinstance(answer, DecisionsFound)
    return answer


def probes() -> ProbesFound:
    """What the standing probe has seen. Raises Unavailable."""
    try:
        answer = explain_door.ask(_door(), FindProbes(), patience=2.0)
    except NobodyAnswers as error:
        raise Unavailable(f"The control process does not answer: {error}") from error
    assert isinstance(answer, ProbesFound)
    return answer


def holes() -> tuple[Probed, ...]:
    """Applications at which the standing probe was let in, or met no outpost; nothing when it is off or away."""
    try:
        return tuple(seen for seen in probes().probed if seen.outcome in (OPEN, SILENT))
    except Unavailable:
        return ()


def examine(provider: int) -> Examined:
    """Send the doctor to the external host of the proxy provider with this key. Raises Unavailable."""
    try:
        answer = explain_door.ask(_door(), Examine(provider), patience=70.0)
    except NobodyAnswers as error:
        raise Unavailable(f"The control process does not answer: {error}") from error
    assert isinstance(answer, Examined)
    if answer.problem:
        raise Unavailable(f"Nothing was examined: {answer.problem}.")
    return answer


def tell(*decisions: Decision) -> None:
    """Add records. Those that cannot be added are lost, and nobody waits for it."""
    try:
        explain_door.tell(_door(), Decided(decisions))
    except (NobodyAnswers, Unavailable):
        return


def administrator_at_work() -> None:
    """Whoever makes the routes gets ready, so that what is changed now is in force at once."""
    global _said_at
    now = time.monotonic()
    if now - _said_at < SAID_AGAIN:
        return
    _said_at = now
    try:
        explain_door.tell(_door(), AdministratorAtWork())
    except (NobodyAnswers, Unavailable):
        return


def attempt(trials: Sequence[Trial]) -> tuple[TrialOutcome, ...]:
    """What came of ``trials``, each. Raises Unavailable."""
    try:
        answer = explain_door.ask(_door(), TryChain(0, tuple(trials)))
    except NobodyAnswers as error:
        raise Unavailable(f"The control process does not answer: {error}") from error
    assert isinstance(answer, ChainTried)
    if answer.problem or len(answer.outcomes) != len(trials):
        raise Unavailable(f"The chain could not be tried: {answer.problem or 'the worker gave up'}.")
    return answer.outcomes
