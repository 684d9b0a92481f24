"""Records of refusals that outposts elsewhere send: found beside our own, and bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from doorward.assembly.explainer import Explainer
from doorward.identity.explain import decisions
from doorward.identity.rpc.records import MOST, Shares
from doorward.messages.decisions import Decided, Decision
from identity.rpc.test_remote import Elsewhere
from peers.processes import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(flows: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Explainer]:
    """The control process's book behind its door."""
    door, explainer = tmp_path / "explain.sock", Explainer(lambda message: False)
    monkeypatch.setenv("DOORWARD_EXPLAIN_SOCKET", str(door))
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(explainer.listen(door))
        ready.set()
        loop.run_forever()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    yield explainer
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def record(number: int, provider: int, **more: object) -> Decision:
    return Decision(id=f"{number:032x}", at=float(number), reason="no_session", provider=provider, **more)  # type: ignore[arg-type]


def found(number: int) -> Decision:
    """Nobody waits until the book has it, so this does."""
    name = f"{number:032x}"
    eventually(lambda: decisions.explained(name), what=f"{number} is on record")
    return decisions.explained(name)[0].decision


def test_an_outposts_record_is_found_here(book: Explainer) -> None:
    """Under its id, with the outpost's name; the application is the one that we know."""
    near = Elsewhere("near")
    served = near.application.provider_id
    assert served is not None
    made = record(1, served, asked_by="Traefik", application="somebody-elses", user="akadmin")

    assert near.ask("decided", Decided((made,))).status_code == 204

    kept = found(1)
    assert kept.asked_by == "Traefik at the outpost near"
    assert (kept.application, kept.user) == ("near", "")


def test_it_speaks_of_nothing_that_it_does_not_serve(book: Explainer) -> None:
    """Neither of another outpost's application nor at length."""  # S-338
    near, other = Elsewhere("near"), Elsewhere("other")
    foreign, own = other.application.provider_id, near.application.provider_id
    assert foreign is not None
    assert own is not None

    near.ask("decided", Decided((record(2, foreign), record(3, own, detail="x" * 9000), record(4, own))))

    found(4)
    assert decisions.explained(f"{2:032x}") == []
    assert decisions.explained(f"{3:032x}") == []


def test_one_outpost_cannot_push_out_the_others_records() -> None:
    """So many in a minute, and no more."""  # S-338, S-917
    near, other = uuid4(), uuid4()
    now = [0.0]
    shares = Shares(lambda: now[0])

    assert shares.take(near, MOST - 1) == MOST - 1
    assert shares.take(near, 10) == 1
    assert shares.take(near, 10) == 0
    assert shares.take(other, 10) == 10
    now[0] = 61.0
    assert shares.take(near, 10) == 10
