"""What a yes is, and that nothing else is one: a proxy takes every 2xx for "may pass" (S-302)."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import KW_ONLY, dataclass

from doorward.messages.http import Header, HttpAnswer
from doorward.outpost import refusals
from doorward.outpost.applications import Applications
from doorward.outpost.sessions.cache import Known

Answer = HttpAnswer | Awaitable[HttpAnswer]


@dataclass(frozen=True, slots=True)
class Passed(HttpAnswer):
    """A yes, with what it stands on (see ``Outpost.still_passes``)."""

    _: KW_ONLY
    known: Known
    applications: Applications
    whole: str | None
    """Not None where the host is one application's as a whole, whatever the path: what its step-up rules call it."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A session for one request."""

    cookie: str
    headers: tuple[Header, ...]
    """What every request that passes with it gets."""


def never_a_yes(answer: Answer) -> Answer:
    """``answer``, which is one of our pages or redirects: an error instead of a 2xx."""
    if isinstance(answer, HttpAnswer):
        return answer if answer.status >= 300 else refusals.configuration_error()
    return _later(answer)


async def _later(answer: Awaitable[HttpAnswer]) -> HttpAnswer:
    done = await answer
    return done if done.status >= 300 else refusals.configuration_error()
