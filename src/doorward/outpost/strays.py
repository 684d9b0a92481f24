"""Questions that lead to no application, and those that show that somebody has configured something wrong: they are
answered, and reported, but not each time."""

from __future__ import annotations

import logging

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.sessions import ReportMisconfiguration
from doorward.outpost import refusals
from doorward.outpost.applications import Applications
from doorward.outpost.decisions import Decisions, request_id_of
from doorward.outpost.dialects.dialect import Dialect
from doorward.outpost.fields import Fields
from doorward.outpost.hosts import parse_authority
from doorward.outpost.reports import Reports
from doorward.outpost.visit import Visit
from doorward.outpost.yes import Answer

log = logging.getLogger(__name__)


class Strays:
    """See the module."""

    def __init__(self, reports: Reports, decisions: Decisions) -> None:
        self._reports = reports
        self._decisions = decisions

    def misconfigured(
        self, applications: Applications, fields: Fields, dialect: Dialect, question: HttpQuestion
    ) -> Answer:
        """To a question in which the proxy does not say what it is about."""
        host = fields.text("x-forwarded-host") or fields.text("host")
        application = applications.find(host, "https") if parse_authority(host) else None
        named = "" if application is None else f" (Provider {application.provider.name})"
        outpost = "" if application is None else f" {application.provider.outpost}"
        message = f"Outpost{outpost}{named} failed to detect a forward URL from {dialect.name}"
        provider = None if application is None else application.provider.pk
        count = self._reports.due(message, provider)
        answer = self._decisions.refused(
            question,
            fields,
            refusals.unreadable(*dialect.unreadable),
            "unreadable_question",
            asked_by=dialect.name,
            trusted=True,
            host=host,
            detail=message,
        )
        if not count:
            return answer
        asked = question.target.partition(b"?")[0].decode("latin-1")
        report = ReportMisconfiguration(message, provider, question.peer, asked, count, request_id_of(answer))
        return self._report_and_answer(report, answer)

    def of_nobody(
        self,
        applications: Applications,
        question: HttpQuestion,
        fields: Fields,
        asked_by: str,
        trusted: bool,
        scheme: str,
        host: str,
        path: str,
        *,
        ambiguous: bool,
    ) -> HttpAnswer:
        """To a question about a place that is no application's, or might be one of two (``ambiguous``)."""
        answer = refusals.ambiguous_path() if ambiguous else self._unknown_host(applications, host)
        return self._decisions.refused(
            question,
            fields,
            answer,
            "ambiguous_path" if ambiguous else "no_application",
            asked_by=asked_by,
            trusted=trusted,
            scheme=scheme,
            host=host,
            path=path,
            known_hosts=applications.hosts,
        )

    async def _report_and_answer(self, report: ReportMisconfiguration, answer: Answer) -> HttpAnswer:
        await self._reports.send(report)
        return answer if isinstance(answer, HttpAnswer) else await answer

    def _unknown_host(self, applications: Applications, host: str) -> HttpAnswer:
        count = self._reports.due("no app for hostname")
        if count:
            known = ", ".join(applications.hosts) or "none"
            log.warning("no app for hostname %.300r (%d times); known hosts: %s", host, count, known)
        return refusals.unknown_host(host[:300])

    def saying_duplicate(self, visit: Visit, answer: Answer) -> Answer:
        """``answer`` to somebody with two different session cookies, which is reported."""
        message = "session.duplicate_cookie: two different session cookies came with one request"
        provider = visit.application.provider.pk
        count = self._reports.due(message, provider)
        if not count:
            return answer
        request_id = visit.question.request_id.decode("ascii")
        report = ReportMisconfiguration(message, provider, visit.client_ip, visit.url_for_events, count, request_id)
        return self._report_and_answer(report, answer)
