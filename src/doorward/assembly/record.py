"""What ``doorward events`` does: verify the chain of events and write events out, for whoever owns the state folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from doorward.assembly.identity_process import set_environment
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan


class Unusable(Exception):
    """The folder or the database cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Verified:
    findings: tuple[str, ...]
    more: int
    """Findings that are not listed."""
    summary: str
    checkpoint: str
    """``<number>:<mac>`` of the newest link."""


def verify(
    plan: Plan, folder: StateFolder, checkpoints: Iterable[tuple[int, str]], progress: Callable[[int, int], None]
) -> Verified:
    """Go through the chain. Raises Unusable."""
    _set_up(plan, folder)
    from django.db import Error

    from doorward.identity.events import verifying

    try:
        report = verifying.verify(checkpoints, progress)
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error
    number, mac = report.head
    parts = [f"{report.checked:,} links checked"]
    if report.expired:
        parts.append(f"{report.expired:,} of their events were deleted when their time was over")
    if report.waiting:
        parts.append(f"{report.waiting:,} new events are not sealed yet")
    return Verified(tuple(report.findings), report.more, "; ".join(parts), f"{number}:{mac}" if number else "")


def export(
    plan: Plan, folder: StateFolder, kind: str, *, since: datetime | None, until: datetime | None, **wanted: str
) -> Iterator[str]:
    """Events as lines of text. Raises Unusable."""
    _set_up(plan, folder)
    from django.db import Error

    from doorward.identity.events import exporting
    from doorward.identity.events.wanted import Wanted

    try:
        yield from exporting.lines(Wanted(since=since, until=until, searched=None, **wanted), kind)
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error


def _set_up(plan: Plan, folder: StateFolder) -> None:
    if not folder.secret_key.exists():
        raise Unusable(f"{folder.path} is no state folder: there is no secret.key in it")
    set_environment(plan, folder)
    from doorward.identity import bootstrap
    from doorward.tokens.secret_key import SecretKeyUnusable

    try:
        bootstrap.set_up_django()
    except SecretKeyUnusable as error:
        raise Unusable(str(error)) from error
    logging.getLogger("doorward.events").setLevel(logging.WARNING)
