"""Chores: done when due or when somebody was woken, by one replica at a time, and again after a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from doorward.identity.chores import book, runner
from doorward.identity.chores.book import Chore
from doorward.identity.chores.models import Turn
from peers.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


class Log:
    """What was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def chore(self, name: str) -> Chore:
        return Chore(name, HOUR, lambda: self.done.append(name))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    table = {name: log.chore(name) for name in ("sweep", "sync")}
    monkeypatch.setattr(runner, "chores", lambda: table)
    return log


@pytest.fixture
def time_keeper(log: Log) -> Iterator[None]:
    """The real thread, stopped afterwards."""
    runner._stopping.clear()
    runner.start()
    yield
    runner.stop()


def test_every_chore_of_the_program_has_a_name_of_its_own() -> None:
    """The book can be read, and a chore that takes longer than its interval is not begun twice."""
    for name, chore in book.chores().items():
        assert name == chore.name
        assert chore.every > timedelta(0)


def test_a_chore_is_not_done_by_two_at_once(log: Log) -> None:
    """While a replica is at it, the others leave it alone; when that one is dead, another takes over."""
    assert runner.run_now("sweep")
    Turn.objects.filter(name="sweep").update(busy_until=timezone.now() + HOUR)
    assert not runner.run_now("sweep")
    Turn.objects.filter(name="sweep").update(busy_until=timezone.now() - HOUR)
    assert runner.run_now("sweep")
    assert log.done == ["sweep", "sweep"]


def test_a_failure_is_noted_and_the_chore_is_free_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator can see what went wrong; the next time is not lost."""

    def fail() -> None:
        raise RuntimeError("the directory is away")

    monkeypatch.setattr(runner, "chores", lambda: {"sync": Chore("sync", HOUR, fail)})
    with pytest.raises(RuntimeError):
        runner.run_now("sync")
    turn = Turn.objects.get(name="sync")
    assert (turn.failure, turn.busy_until) == ("RuntimeError: the directory is away", None)
    monkeypatch.setattr(runner, "chores", lambda: {"sync": log.chore("sync")})
    assert runner.run_now("sync")
    assert Turn.objects.get(name="sync").failure == ""


def test_what_is_new_is_done_at_once_and_then_at_its_time(log: Log, time_keeper: None) -> None:
    """A first start does not wait an hour for its first look."""
    eventually(lambda: sorted(log.done) == ["sweep", "sync"], what="both are done")
    eventually(lambda: not Turn.objects.exclude(busy_until=None).exists(), what="both are given back")
    assert all(turn.due > timezone.now() for turn in Turn.objects.all())


def test_who_is_woken_is_done_before_its_time(log: Log, time_keeper: None) -> None:
    """What has just happened is not left until the next hour."""
    eventually(lambda: len(log.done) == 2, what="both are done")
    runner.wake("sync")
    eventually(lambda: log.done.count("sync") == 2, what="it is done again")
    assert log.done.count("sweep") == 1


def test_nothing_is_written_while_there_is_nothing_to_do(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet installation is left alone; whoever wakes the chore has a reason."""
    idle = Chore("sync", HOUR, lambda: log.done.append("sync"), needed=lambda: False)
    monkeypatch.setattr(runner, "chores", lambda: {"sync": idle})
    runner._introduce()
    before = Turn.objects.values().get()
    assert runner._begin_what_is_due() > 0
    assert Turn.objects.values().get() == before
    runner.wake("sync")
    runner._begin_what_is_due()
    eventually(lambda: log.done == ["sync"], what="it is done when woken")
    eventually(lambda: not runner._running, what="its thread is over")
