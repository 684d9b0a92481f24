"""The book of refusals: bounded, fair to everybody, searched by what an administrator knows."""

from __future__ import annotations

from doorward.assembly.decision_book import DecisionBook
from doorward.messages.decisions import Decided, Decision, FindDecisions


def _decision(number: int, client: str = "192.0.2.1", **facts: str) -> Decision:
    return Decision(id=f"{number:032x}", at=float(number), reason="no_session", client=client, **facts)  # type: ignore[arg-type]


def _ids(book: DecisionBook, wanted: FindDecisions) -> list[int]:
    return [int(decision.id, 16) for decision in book.find(wanted).decisions]


def test_a_record_is_found_by_the_beginning_of_its_id() -> None:
    """Six characters are enough, five could be anybody's."""
    book = DecisionBook()
    book.add(Decided((Decision(id="abcdef0123456789", at=1.0, reason="no_session"),)))
    assert len(book.find(FindDecisions(id="ABCDEF")).decisions) == 1
    assert book.find(FindDecisions(id="abcde")).decisions == ()
    assert book.find(FindDecisions(id="bcdef0")).decisions == ()


def test_records_come_newest_first_and_only_those_that_fit() -> None:
    """Application, part of the host, client and reason narrow the list together."""
    book = DecisionBook()
    book.add(Decided((_decision(1, host="wiki.example.test"), _decision(3, host="app.example.test"), _decision(2))))
    assert _ids(book, FindDecisions()) == [3, 2, 1]
    assert _ids(book, FindDecisions(host="WIKI")) == [1]
    assert _ids(book, FindDecisions(host="wiki", client="192.0.2.9")) == []
    assert _ids(book, FindDecisions(limit=1)) == [3]


def test_a_noisy_client_pushes_out_its_own_records_only() -> None:
    """Whoever knocks a thousand times does not hide the one refusal of somebody else."""
    book = DecisionBook(most=50, most_of_a_client=10)
    book.add(Decided((_decision(1, "192.0.2.7"),)))
    book.add(Decided(tuple(_decision(number, "203.0.113.5") for number in range(2, 1000))))
    found = book.find(FindDecisions(limit=500))
    assert found.kept == 11
    assert _ids(book, FindDecisions(client="192.0.2.7")) == [1]


def test_the_oldest_go_when_there_are_too_many() -> None:
    """Clients without number do not fill the memory."""
    book = DecisionBook(most=20)
    book.add(Decided(tuple(_decision(number, f"client {number}") for number in range(100))))
    assert _ids(book, FindDecisions(limit=500)) == list(range(99, 79, -1))


def test_what_is_told_twice_is_kept_once() -> None:
    """A worker that tells everything again after a lost channel makes no doubles."""
    book = DecisionBook()
    book.add(Decided((_decision(1), _decision(2))))
    book.add(Decided((_decision(2), _decision(3))))
    assert _ids(book, FindDecisions()) == [3, 2, 1]
