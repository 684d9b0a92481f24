"""Go through the chain and say what was changed, removed or put in.

Whoever writes the database alone cannot make proofs and MACs (``proofs``); what they can do is found so:
- an event says something else than when it was written: its proof, or the one in its link, is wrong;
- an event is gone before its time: its link is still there;
- an event and its link are gone, or links were exchanged: a number is missing, or the next MAC does not fit;
- an event was made up: it has no proof that fits, and no link;
- the end was cut off, or everything was put back to an earlier day: the chain is shorter than a checkpoint says, or
  has another link at that place (``checkpoints``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from doorward.identity.events import chain, checkpoints, proofs
from doorward.identity.events.chain import Place
from doorward.identity.events.models import Chain, Event, Link

AT_ONCE = 1000
MOST_FINDINGS = 100
"""More are counted, not listed."""


@dataclass(slots=True)
class Report:
    """What was found."""

    findings: list[str] = field(default_factory=list)
    more: int = 0
    """Findings beyond MOST_FINDINGS."""
    checked: int = 0
    """Links gone through."""
    expired: int = 0
    """Events among them that were deleted when their time was over."""
    waiting: int = 0
    """Events that are too new to be sealed."""
    head: Place = (0, "")
    unverified_checkpoints: str = ""
    """Why the file of checkpoints could not be read; empty when it could."""

    @property
    def is_whole(self) -> bool:
        return not self.findings

    def find(self, text: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(text)
        else:
            self.more += 1


Progress = Callable[[int, int], None]
"""Told how many links were gone through, of how many."""


def verify(more_checkpoints: Iterable[Place] = (), progress: Progress = lambda done, of: None) -> Report:
    """Go through everything. Reads in small steps: the program may write meanwhile."""
    report = Report()
    begun = chain.beginning()
    if not chain.is_genuine(begun):
        report.find("The row that says where the chain begins was changed.")
    known = _checkpoints(report, more_checkpoints)
    report.head = chain.head(begun)
    _go_through(report, begun, known, progress)
    for place in sorted(known):
        _judge_checkpoint(report, begun, place)
    _find_unlinked(report, begun)
    return report


def _checkpoints(report: Report, more: Iterable[Place]) -> set[Place]:
    try:
        written = [(each.number, each.mac) for each in checkpoints.read()]
    except (OSError, ValueError) as error:
        report.unverified_checkpoints = str(error)
        report.find(f"The checkpoints in {checkpoints.path()} cannot be read: {error}")
        written = []
    return {*written, *more}


def _go_through(report: Report, begun: Chain, known: set[Place], progress: Progress) -> None:
    number, mac = begun.number, begun.mac
    last = report.head[0]
    for batch in _batches(number, last):
        events = Event.objects.in_bulk([link.event for link in batch])
        now = timezone.now()
        for link in batch:
            if link.number != number + 1:
                if not _was_retired(link.number):
                    report.find(_gap(number, link))
            elif not proofs.same(link.mac, chain.link_mac(link, mac)):
                report.find(f"Link {link.number} of the chain (event {link.event}) was changed or exchanged.")
            _judge_event(report, link, events.get(link.event), now)
            number, mac = link.number, link.mac
            known.discard((number, mac))
        report.checked += len(batch)
        progress(number, last)


def _batches(number: int, last: int) -> Iterator[Sequence[Link]]:
    while batch := list(Link.objects.filter(number__gt=number, number__lte=last).order_by("number")[:AT_ONCE]):
        yield batch
        number = batch[-1].number


def _was_retired(number: int) -> bool:
    """Whether the links before ``number`` were deleted, as was their time, since we began to read."""
    return chain.beginning().number >= number - 1


def _gap(number: int, link: Link) -> str:
    missing = link.number - number - 1
    which = (
        f"Event number {number + 1} was" if missing == 1 else f"Events number {number + 1} to {link.number - 1} were"
    )
    return f"{which} removed together with the chain's link, before {link.sealed:%Y-%m-%d %H:%M:%S} UTC."


def _judge_event(report: Report, link: Link, event: Event | None, now: datetime) -> None:
    if event is None:
        if link.expires <= now:
            report.expired += 1
        else:
            report.find(
                f"Event {link.event} (number {link.number}, sealed {link.sealed:%Y-%m-%d %H:%M:%S} UTC) was removed;"
                f" it was to be kept until {link.expires:%Y-%m-%d}."
            )
    elif not proofs.same(link.proof, proofs.proof_of(event, link.number)):
        report.find(
            f"Event {event.pk} (number {link.number}, {event.action}, {event.created:%Y-%m-%d %H:%M:%S} UTC)"
            " was changed after it was written."
        )


def _judge_checkpoint(report: Report, begun: Chain, place: Place) -> None:
    """``place`` was not met on the way through the chain."""
    number, mac = place
    if number < begun.number or (number == begun.number and proofs.same(mac, begun.mac)):
        return  # older than what is kept
    if number > report.head[0]:
        report.find(
            f"The chain ends at number {report.head[0]}, but was known to reach {number}: its end was cut off, or an"
            " older copy of the database was put back."
        )
    elif not _was_retired(number + 1):
        report.find(f"At number {number} the chain is not the one that was known: it was written anew.")


def _find_unlinked(report: Report, begun: Chain) -> None:
    """Events that no link names: new ones, ones that somebody made up, or whose links are gone."""
    linked = Link.objects.filter(event=OuterRef("pk"))
    now = timezone.now()
    for event in Event.objects.filter(~Exists(linked)).order_by("created").iterator(AT_ONCE):
        when = f"{event.action}, {event.created:%Y-%m-%d %H:%M:%S} UTC"
        if event.proof is None and chain.adopts(begun, now):
            report.waiting += 1
        elif not proofs.same(event.proof, proofs.proof_of(event, event.number)):
            report.find(f"Event {event.pk} ({when}) was put in, or changed before it was sealed: its proof is wrong.")
        elif event.number is not None and not Link.objects.filter(event=event.pk).exists():
            report.find(f"Event {event.pk} (number {event.number}, {when}) has lost its link of the chain.")
        else:
            report.waiting += 1
