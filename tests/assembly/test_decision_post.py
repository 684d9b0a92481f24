"""A worker's records: sent soon, many at once, kept for a control process that begins anew."""

from __future__ import annotations

import asyncio

from doorward.assembly.decision_post import KEPT, DecisionPost
from doorward.messages.decisions import Decided, Decision


def _decision(number: int, client: str = "192.0.2.1") -> Decision:
    return Decision(id=f"{number:032x}", at=float(number), reason="no_session", client=client)


class Control:
    """Who listens, or does not."""

    def __init__(self) -> None:
        self.there = True
        self.heard: list[list[int]] = []

    def tell(self, decided: Decided) -> bool:
        if self.there:
            self.heard.append([int(decision.id, 16) for decision in decided.decisions])
        return self.there

    async def until(self, batches: int) -> None:
        async with asyncio.timeout(30):
            while len(self.heard) < batches:
                await asyncio.sleep(0.01)


async def test_records_of_a_moment_go_together() -> None:
    """One message for many refusals, and each is sent once."""
    control = Control()
    post = DecisionPost(control.tell)
    for number in range(5):
        post.add(_decision(number))
    await control.until(1)
    post.add(_decision(5))
    await control.until(2)
    assert control.heard == [[0, 1, 2, 3, 4], [5]]


async def test_a_new_control_process_hears_what_the_old_one_knew() -> None:
    """After a lost channel everything that is kept is told again; while nobody listens nothing is lost."""
    control = Control()
    post = DecisionPost(control.tell)
    post.add(_decision(1))
    await control.until(1)
    control.there = False
    post.add(_decision(2))
    await asyncio.sleep(0.1)
    control.there = True
    post.all_again()
    await control.until(2)
    assert control.heard[1] == [1, 2]


async def test_a_flood_takes_no_more_room_than_a_trickle() -> None:
    """The oldest make room."""
    control = Control()
    post = DecisionPost(control.tell)
    for number in range(3 * KEPT):
        post.add(_decision(number))
    await control.until(1)
    assert control.heard == [list(range(2 * KEPT, 3 * KEPT))]


async def test_nobodys_requests_leave_no_record() -> None:
    """What the program itself tries is no news."""
    control = Control()
    post = DecisionPost(control.tell, "203.0.113.7")
    post.add(_decision(1, "203.0.113.7"))
    post.add(_decision(2))
    await control.until(1)
    assert control.heard == [[2]]
