"""Which question is of which type, and who answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from doorward.identity.rpc import explanations, renewals, reports, sessions, state, urls
from doorward.identity.rpc.answer import Answer
from doorward.messages.explanations import ExplainAccess, ExplainDecision, ShowHeaders
from doorward.messages.sessions import (
    ClaimRenewal,
    CreateSession,
    EndSession,
    EndSubject,
    FetchState,
    FindSession,
    KeepUrl,
    RenewSession,
    ReportMisconfiguration,
    SessionsSeen,
    TakeUrl,
)

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Question:
    """``answer`` takes the body. ``writes``: after it is a good moment to sweep."""

    answer: Callable[[bytes], Answer]
    writes: bool = True


def _question(asked: type[T], reply: Callable[[T], Answer], *, writes: bool = True) -> Question:
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(asked)
    return Question(lambda body: reply(decoder.decode(body)), writes)


QUESTIONS: dict[str, Question] = {
    "find-session": _question(FindSession, sessions.find, writes=False),
    "create-session": _question(CreateSession, sessions.create),
    "claim-renewal": _question(ClaimRenewal, renewals.claim),
    "renew-session": _question(RenewSession, renewals.renew),
    "sessions-seen": _question(SessionsSeen, sessions.seen),
    "end-session": _question(EndSession, sessions.end),
    "end-subject": _question(EndSubject, sessions.end_subject),
    "keep-url": _question(KeepUrl, urls.keep),
    "take-url": _question(TakeUrl, urls.take),
    "report": _question(ReportMisconfiguration, reports.report),
    "explain-decision": _question(ExplainDecision, explanations.decision, writes=False),
    "explain-access": _question(ExplainAccess, explanations.access, writes=False),
    "show-headers": _question(ShowHeaders, explanations.headers, writes=False),
    "state": _question(FetchState, state.fetch, writes=False),
}
