"""The data plane's questions from outposts that run elsewhere, over HTTPS and with their token.

``POST /api/v3/outposts/data-plane/<question>``: the questions, bodies and answers of the private socket
(``messages.sessions``), for the proxy providers of the outpost whose token it is and for no others (S-338). It keeps no
session of its own: what ends here ends there within the second in which it asks again.

It is no resource of the API and is not described among them: the two ends are of one program, and of one version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from doorward.identity.api.outposts.serving import outpost_of
from doorward.identity.directory.models import Token
from doorward.identity.directory.queries import token_by_key
from doorward.identity.outposts import presence
from doorward.identity.outposts.models import Outpost, ProxyProvider, StoredSession
from doorward.identity.rpc import records, renewals, reports, sessions, state, urls
from doorward.identity.rpc.answer import NOT_FOUND, Answer
from doorward.identity.rpc.app import LARGEST
from doorward.identity.rpc.sweeping import sweep_if_due
from doorward.messages.decisions import Decided
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

_LONGEST_KEY = 1024
T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class _Asker:
    """The outpost that asks, and the keys of the proxy providers that it serves."""

    outpost: Outpost
    served: frozenset[int]


_Question = Callable[[_Asker, bytes], Answer]


@csrf_exempt  # who asks is in the token; a cookie counts for nothing here
def answer(request: HttpRequest, question: str) -> HttpResponse:
    """The view."""
    asked = QUESTIONS.get(question)
    if asked is None:
        return HttpResponse(status=404)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    outpost = _outpost(request)
    if outpost is None:
        return HttpResponse(status=403)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or len(length) > 9 or int(length) > LARGEST:
        return HttpResponse(status=413)
    try:
        said = asked(_asker(outpost), request.read(int(length)))
        if question in _WRITING:
            sweep_if_due()
    except msgspec.MsgspecError:
        said = Answer(400)
    except Error:
        said = Answer(503)
    response = HttpResponse(said.body, status=said.status, content_type="application/msgpack")
    response["Cache-Control"] = "no-store"
    return response


def _outpost(request: HttpRequest) -> Outpost | None:
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(key.strip()) <= _LONGEST_KEY:
        return None
    token = token_by_key(key.strip(), (Token.Intent.API,))
    # A limited token is for the API, whose parts can be named.
    return outpost_of(token.user) if token is not None and token.limits is None else None


def _asker(outpost: Outpost) -> _Asker:
    served = ProxyProvider.objects.filter(outposts=outpost, application__isnull=False)
    return _Asker(outpost, frozenset(served.values_list("pk", flat=True)))


# --- the questions ---------------------------------------------------------------------------------------------------


def _of(kind: type[T], allowed: Callable[[_Asker, T], bool], reply: Callable[[T], Answer]) -> _Question:
    """A question that is answered as on the private socket, if it is about what the outpost serves."""
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(kind)

    def ask(asker: _Asker, body: bytes) -> Answer:
        question = decoder.decode(body)
        return reply(question) if allowed(asker, question) else NOT_FOUND

    return ask


def _has(asker: _Asker, question: FindSession | EndSession | ClaimRenewal) -> bool:
    return question.provider in asker.served


def _holds(asker: _Asker, question: CreateSession | RenewSession) -> bool:
    return question.session.provider in asker.served


def _knows(asker: _Asker, question: EndSubject) -> bool:
    return StoredSession.objects.filter(subject=question.subject, provider_id__in=asker.served).exists()


def _may_report(asker: _Asker, question: ReportMisconfiguration) -> bool:
    return question.provider is None or question.provider in asker.served


def _state(asker: _Asker, body: bytes) -> Answer:
    question = msgspec.msgpack.decode(body, type=FetchState)
    if question.presence is not None:
        presence.seen(asker.outpost, question.presence)
    return state.fetch(question, asker.outpost)


def _seen(asker: _Asker, body: bytes) -> Answer:
    return sessions.seen(msgspec.msgpack.decode(body, type=SessionsSeen), asker.served)


def _decided(asker: _Asker, body: bytes) -> Answer:
    return records.keep(msgspec.msgpack.decode(body, type=Decided), asker.outpost, asker.served)


def _keep(asker: _Asker, body: bytes) -> Answer:
    question = msgspec.msgpack.decode(body, type=KeepUrl)
    return urls.keep(KeepUrl(f"{asker.outpost.pk.hex}{question.key}"[:64], question.url))


def _take(asker: _Asker, body: bytes) -> Answer:
    question = msgspec.msgpack.decode(body, type=TakeUrl)
    return urls.take(TakeUrl(f"{asker.outpost.pk.hex}{question.key}"[:64]))


QUESTIONS: dict[str, _Question] = {
    "find-session": _of(FindSession, _has, sessions.find),
    "create-session": _of(CreateSession, _holds, sessions.create),
    "claim-renewal": _of(ClaimRenewal, _has, renewals.claim),
    "renew-session": _of(RenewSession, _holds, renewals.renew),
    "end-session": _of(EndSession, _has, sessions.end),
    "end-subject": _of(EndSubject, _knows, sessions.end_subject),
    "sessions-seen": _seen,
    "decided": _decided,
    "keep-url": _keep,
    "take-url": _take,
    "report": _of(ReportMisconfiguration, _may_report, reports.report),
    "state": _state,
}
_WRITING = QUESTIONS.keys() - {"find-session", "state", "decided"}
