"""Keeps a record of every request that does not pass, and puts its id into the answer.

Nothing here runs for a request that passes. The id of a record is the request's: whoever reads it on a page, in a
JSON answer or in the answer's ``X-authentik-id`` finds the record with it, and the log line, and the event.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable

from doorward.config.skip_rules import Opening
from doorward.messages.decisions import SESSION_DIGITS, Decision
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.outpost import step_up
from doorward.outpost.fields import Fields
from doorward.outpost.machines import Rejection
from doorward.outpost.navigation import is_navigation
from doorward.outpost.pages import Page
from doorward.outpost.sessions.cookie import SESSION, Presented
from doorward.outpost.visit import Visit

log = logging.getLogger(__name__)

Answer = HttpAnswer | Awaitable[HttpAnswer]
_ID_FIELD = b"X-authentik-id"
_LONGEST = 512
"""Characters of a text that came from outside."""
_MOST_HOSTS = 20
_REJECTIONS = {
    Rejection.WRONG: "credentials_wrong",
    Rejection.TOO_MANY: "credentials_too_many",
    Rejection.UNCHECKED: "credentials_unchecked",
}


def id_of(question: HttpQuestion, answer: HttpAnswer) -> str:
    """What the request is called from here on: as the worker calls it, where it came through one."""
    if question.request_id:
        return question.request_id.decode("ascii")
    if isinstance(answer, Page) and answer.reference:
        return answer.reference
    return secrets.token_hex(16)


def request_id_of(answer: HttpAnswer) -> str:
    """The id that an answer was stamped with; empty for one that was not."""
    return next((value.decode() for name, value in answer.headers if name == _ID_FIELD), "")


class Decisions:
    """Makes records, and gives each to ``tell``."""

    def __init__(self, tell: Callable[[Decision], None], now: Callable[[], float]) -> None:
        self._tell = tell
        self._now = now

    def refused(
        self,
        question: HttpQuestion,
        fields: Fields,
        answer: HttpAnswer,
        reason: str,
        *,
        asked_by: str,
        trusted: bool,
        scheme: str = "",
        host: str = "",
        path: str = "",
        detail: str = "",
        known_hosts: list[str] | None = None,
    ) -> HttpAnswer:
        """``answer`` with an id, to a question that led to no application."""
        said = Decision(
            id=id_of(question, answer),
            at=self._now(),
            reason=reason,
            status=answer.status,
            answer=_in_words(answer),
            detail=detail,
            asked_by=asked_by,
            fused=_is_fused(question),
            peer=question.peer,
            trusted=trusted,
            client=_client(fields, question, trusted),
            method=_short(fields.text("x-forwarded-method") or question.method.decode("latin-1")),
            scheme=_short(scheme or fields.text("x-forwarded-proto")),
            host=_short(host or fields.text("x-forwarded-host") or fields.text("host")),
            path=_short(path or question.target.partition(b"?")[0].decode("latin-1")),
            known_hosts=tuple((known_hosts or [])[:_MOST_HOSTS]),
        )
        return self._said(said, answer)

    def turned_away(self, visit: Visit, why: Opening | Rejection, answer: Answer, *, asked_by: str) -> Answer:
        """``answer`` with an id, for somebody who may not pass."""
        presented = visit.presented
        if isinstance(why, Rejection):
            reason = _REJECTIONS[why]
        elif why is Opening.UNUSABLE_RULE:
            reason = "unusable_rule"
        else:
            reason = _without_session(presented, _cookie(visit, presented))
        return self.about(visit, answer, reason, asked_by=asked_by, why=why)

    def about(
        self,
        visit: Visit,
        answer: Answer,
        reason: str,
        *,
        asked_by: str,
        detail: str = "",
        why: Opening | Rejection | None = None,
    ) -> Answer:
        """``answer`` with an id, if it is a refusal or a redirect to log in."""
        if isinstance(answer, HttpAnswer):
            return self._about(visit, answer, reason, asked_by, detail, why)
        return self._about_later(visit, answer, reason, asked_by, detail, why)

    async def _about_later(
        self,
        visit: Visit,
        pending: Awaitable[HttpAnswer],
        reason: str,
        asked_by: str,
        detail: str,
        why: Opening | Rejection | None,
    ) -> HttpAnswer:
        return self._about(visit, await pending, reason, asked_by, detail, why)

    def _about(
        self,
        visit: Visit,
        answer: HttpAnswer,
        reason: str,
        asked_by: str,
        detail: str,
        why: Opening | Rejection | None,
    ) -> HttpAnswer:
        if answer.status < 400 and reason == "own_endpoint":
            return answer  # a login that begins, goes on or ends as it should
        if isinstance(answer, Page):
            detail = detail or answer.said
            reason = answer.reason or reason
        application, presented, question = visit.application, visit.presented, visit.question
        cookie = _cookie(visit, presented)
        ticket = presented.ticket
        asked = question.target.partition(b"?")[0].decode("latin-1")
        said = Decision(
            id=id_of(question, answer),
            at=self._now(),
            reason=reason,
            status=answer.status,
            answer=_in_words(answer),
            detail=_short(detail),
            asked_by=asked_by,
            fused=_is_fused(question),
            peer=question.peer,
            trusted=not visit.direct or question.trusted,
            client=_client(visit.fields, question, True),
            method=_short(visit.method),
            scheme=visit.scheme,
            host=_short(visit.host),
            path=_short(visit.path),
            asked_path=_short(asked) if visit.direct and asked != visit.path else "",
            provider=application.provider.pk,
            application=application.provider.application_slug,
            external_host=application.provider.external_host,
            cookie=cookie,
            session=ticket.id_hash.hex()[:SESSION_DIGITS] if ticket is not None and ticket.kind == SESSION else "",
            skip_rules=_open_paths(visit),
            authorization=_authorization(visit, why),
            navigation=is_navigation(visit.fields, visit.scheme),
        )
        return self._said(said, answer)

    def _said(self, decision: Decision, answer: HttpAnswer) -> HttpAnswer:
        """Hand the record on, and stamp the answer with its id."""
        self._tell(decision)
        if decision.status >= 400:
            log.info(
                "refused %s: %s %s%s",
                decision.reason,
                decision.method,
                decision.host,
                decision.path,
                extra={"facts": _facts(decision)},
            )
        body = answer.body
        if isinstance(answer, Page) and answer.reference:
            body = body.replace(answer.reference.encode(), decision.id.encode())
        return HttpAnswer(answer.status, (*answer.headers, (_ID_FIELD, decision.id.encode())), body)


def _facts(decision: Decision) -> dict[str, object]:
    facts = {
        "request_id": decision.id,
        "client": decision.client,
        "status": decision.status,
        "application": decision.application,
        "detail": decision.detail,
    }
    return {name: value for name, value in facts.items() if value}


def _without_session(presented: Presented, cookie: str) -> str:
    if presented.duplicate:
        return "duplicate_cookie"
    return {
        "session": "session_gone",
        "login begun": "login_begun",
        "unreadable": "unreadable_cookie",
    }.get(cookie, "no_session")


def _cookie(visit: Visit, presented: Presented) -> str:
    if presented.duplicate:
        return "two different"
    if presented.ticket is not None:
        return "session" if presented.ticket.kind == SESSION else "login begun"
    name = visit.application.cookies.name + b"="
    return "unreadable" if any(name in line for line in visit.fields.cookies) else "none"


def _open_paths(visit: Visit) -> str:
    said = visit.application.rules.explained(visit.path, visit.rule_origin)
    return f"{said}; a step-up rule shuts it again" if "opens it" in said and step_up.asks(visit) else said


def _authorization(visit: Visit, why: Opening | Rejection | None) -> str:
    if not visit.fields.present("authorization"):
        return "none"
    if isinstance(why, Rejection):
        return why.value
    if not visit.application.provider.intercept_header_auth:
        return "not looked at: the provider does not receive header authentication"
    return "not looked at" if why is Opening.UNUSABLE_RULE else "not usable"


def _in_words(answer: HttpAnswer) -> str:
    if isinstance(answer, Page) and answer.title:
        return f"page “{answer.title}”"
    if 300 <= answer.status < 400:
        return "redirect to log in"
    return "a status with a reason, for a program" if answer.status == 401 else "an error"


def _is_fused(question: HttpQuestion) -> bool:
    return question.trusted and not question.peer


def _client(fields: Fields, question: HttpQuestion, trusted: bool) -> str:
    named = fields.text("x-forwarded-for").rpartition(",")[2].strip() if trusted else ""
    return _short(named) or question.peer


def _short(text: str) -> str:
    """``text`` cut, with what could steer a terminal escaped: it came from outside."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
