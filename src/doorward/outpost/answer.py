"""The outpost's one entry: a question in, an answer out.

    question ── ping ──────────────────────────────────────────────► 204
        │
        ├── auth/<dialect>: a proxy asks about a browser's request
        │       dialect reads it → application → our own endpoints, or
        │       judge → 200 with identity · 200 without (open path) · refusal
        │
        └── start, callback, sign_out: the browser itself asks

A cached session is answered without leaving the caller's turn; whatever needs the store or the identity provider is
an awaitable. Nothing passes by accident: 200 to a proxy is written in one place, ``_passed``, and every other answer
that a proxy could take for a yes is turned into an error (CVE-2026-25748).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass

from doorward.config.skip_rules import Opening
from doorward.messages.decisions import Decision
from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import ProxySession, ReportMisconfiguration, Seen
from doorward.outpost import own_endpoints, refusals
from doorward.outpost.application import Application
from doorward.outpost.applications import Applications
from doorward.outpost.callback import Callback
from doorward.outpost.decisions import Decisions, request_id_of
from doorward.outpost.dialects.caddy import CADDY
from doorward.outpost.dialects.dialect import Dialect
from doorward.outpost.dialects.envoy import BELOW as BELOW_ENVOY
from doorward.outpost.dialects.envoy import ENVOY
from doorward.outpost.dialects.nginx import NGINX
from doorward.outpost.dialects.traefik import TRAEFIK
from doorward.outpost.fields import Fields
from doorward.outpost.foreign_login import ForeignLogins, NewerKeys, no_newer_keys
from doorward.outpost.hosts import PLAIN, parse_authority
from doorward.outpost.judge import Judge, Verdict
from doorward.outpost.login import Login
from doorward.outpost.loop_guard import UnusedLogins
from doorward.outpost.machine_logins import MachineLogins
from doorward.outpost.machines import Machines, Rejection
from doorward.outpost.navigation import is_navigation
from doorward.outpost.own_endpoints import OwnEndpoints
from doorward.outpost.paths import PREFIX, ascii_target, is_under_prefix, split_target
from doorward.outpost.ports import IdentityChannel, SessionStore, StoreUnavailable
from doorward.outpost.relying_party import RelyingParty
from doorward.outpost.reports import Reports
from doorward.outpost.sessions.cache import Known
from doorward.outpost.sessions.renewal import Renewal
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.sign_out import SignOut
from doorward.outpost.site import AmbiguousPath
from doorward.outpost.trust import DEFAULT_TRUSTED, TrustedPeers
from doorward.outpost.turned_away import TurnedAway
from doorward.outpost.visit import Visit

log = logging.getLogger(__name__)

Answer = HttpAnswer | Awaitable[HttpAnswer]

_AUTH = f"{PREFIX}/auth/"
_OURS = PREFIX.encode()
_SESSION_FIELD = b"X-Doorward-Session"
_PING = f"{PREFIX}/ping".encode()
_DIALECTS = {f"{_AUTH}{dialect.name.lower()}".encode(): dialect for dialect in (TRAEFIK, CADDY, NGINX, ENVOY)}


@dataclass(frozen=True, slots=True)
class Passed(HttpAnswer):
    """A yes, with what it stands on (see ``Outpost.still_passes``)."""

    _: KW_ONLY
    known: Known
    applications: Applications
    alone: bool
    """The host is one application's as a whole, whatever the path."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A session for one request."""

    cookie: str
    headers: tuple[Header, ...]
    """What every request that passes with it gets."""


class Outpost:
    """Decides for every application of the configuration that was last given to ``use``."""

    def __init__(
        self,
        store: SessionStore,
        channel: IdentityChannel,
        now: Callable[[], float],
        trusted_networks: Iterable[str] = DEFAULT_TRUSTED,
        decided: Callable[[Decision], None] = lambda decision: None,
        newer_keys: NewerKeys = no_newer_keys,
    ) -> None:
        """``now`` gives Unix seconds; ``decided`` gets a record of whatever does not pass; ``newer_keys`` fetches the
        keys of a foreign issuer.

        Raises ValueError for a text in ``trusted_networks`` that is no network."""
        self._trusted_peers = TrustedPeers(trusted_networks)
        self._applications = Applications(OutpostConfiguration())
        foreign = ForeignLogins(channel, now, newer_keys)
        self._sessions = Sessions(store, Renewal(store, channel, now, foreign), now)
        self._reports = Reports(store, now)
        self._decisions = Decisions(decided, now)
        self._machines = Machines(MachineLogins(channel, now, foreign), now)
        self._judge = Judge(self._sessions, self._machines, now)
        login = Login(self._sessions, store, now)
        callback = Callback(
            self._sessions,
            store,
            RelyingParty(channel, now, foreign=foreign),
            login,
            self._reports,
            UnusedLogins(self._sessions.last_passed),
            now,
        )
        self._turned_away = TurnedAway(login, now)
        self._endpoints = OwnEndpoints(login, callback, SignOut(self._sessions))
        self._now = now

    def use(self, configuration: OutpostConfiguration) -> None:
        """From now on this is the configuration."""
        self._applications = Applications(configuration, before=self._applications)
        self._machines.changed()

    def credentials_changed(self) -> None:
        """Something changed that could make an app password or a token good or bad: what is remembered about them is
        forgotten. ``use`` and ``sessions_ended`` include it."""
        self._machines.changed()

    def sessions_ended(self, id_hashes: Iterable[bytes], everything: bool = False) -> None:
        """These proxy sessions (or all of them) have ended: the next request with one finds it gone."""
        self._sessions.forget(id_hashes, everything=everything)
        self._machines.changed()

    @contextmanager
    def lending(self, session: ProxySession) -> Iterator[Lent]:
        """A session that nobody logged in for, here and as long as the block runs; ``session.id_hash`` is replaced.

        Raises LookupError when this outpost does not serve its provider."""
        application = self._applications.by_pk.get(session.provider)
        if application is None:
            raise LookupError("the outpost does not serve this provider")
        with self._sessions.lending(session, application) as (ticket, known):
            name = application.cookies.name.decode("ascii")
            yield Lent(f"{name}={application.cookies.seal(ticket)}", known.headers)

    def applications(self) -> Iterable[Application]:
        """Those that are served."""
        return self._applications.by_pk.values()

    def sessions_of(self, provider: int, subject: str, sid: str) -> list[bytes]:
        """Ids of the sessions known here that a person has (``sid`` empty), or that came from one login at the issuer
        (``sid``, of ``subject`` if that is not empty)."""
        return self._sessions.of(provider, subject, sid)

    def last_passed(self, id_hash: bytes) -> float:
        """When a request last passed here with this proxy session (Unix seconds); 0 for never."""
        return self._sessions.last_passed(id_hash)

    def used_since(self, since: float) -> list[Seen]:
        """The proxy sessions with which a request passed here after ``since`` (Unix seconds)."""
        return self._sessions.used_since(since)

    def still_passes(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """Whether the question that ``answer`` let pass would pass again, with another ``path`` and ``query``.

        The same session at the same application, nothing changed in either, and nothing in path and query that is
        ours to answer. False means that the question must be put.
        """
        if not isinstance(answer, Passed) or answer.applications is not self._applications or not answer.alone:
            return False
        if b"%" in path or b";" in path or path.startswith(_OURS) or (query is not None and b"X-authentik-" in query):
            return False
        if path in self._applications.callback_paths:
            return False
        known, now = answer.known, self._now()
        if not self._sessions.still_known(known, now):
            return False
        known.last_passed = now
        return True

    def answer(self, question: HttpQuestion) -> Answer:
        """The complete answer; never raises for anything that a client, a proxy or the store did."""
        endpoint = question.target.partition(b"?")[0]
        if endpoint == _PING:
            return HttpAnswer(204)
        fields = Fields(question.headers)
        trusted = question.trusted or self._trusted_peers.include(question.peer)
        dialect = _DIALECTS.get(endpoint)
        if dialect is None and endpoint.startswith(BELOW_ENVOY):
            dialect = ENVOY
        if dialect is None:
            return self._browser_asks(question, fields, trusted)
        if not trusted:
            return self._decisions.refused(
                question, fields, refusals.untrusted_peer(), "untrusted_peer", asked_by=dialect.name, trusted=False
            )
        return self._proxy_asks(question, fields, dialect)

    # --- a proxy asks ------------------------------------------------------------------------------------------

    def _proxy_asks(self, question: HttpQuestion, fields: Fields, dialect: Dialect) -> Answer:
        forwarded = dialect.read(fields, question)
        if forwarded is None:
            return self._misconfigured(fields, dialect, question)
        scheme = PLAIN.get(forwarded.scheme, forwarded.scheme)
        path, query = split_target(forwarded.target)
        try:
            application = self._applications.find(forwarded.host, scheme, path)
        except AmbiguousPath:
            said, reason = refusals.ambiguous_path(), "ambiguous_path"
            return self._of_nobody(question, fields, said, reason, dialect.name, True, scheme, forwarded.host, path)
        if application is None:
            said, reason = self._unknown_host(forwarded.host), "no_application"
            return self._of_nobody(question, fields, said, reason, dialect.name, True, scheme, forwarded.host, path)
        presented = application.cookies.presented(fields.cookies)
        visit = Visit(
            application,
            forwarded.method,
            forwarded.scheme,
            forwarded.host,
            path,
            query,
            fields,
            presented,
            question,
            False,
        )
        answer = self._decide(dialect, visit)
        return self._saying_duplicate(visit, answer) if presented.duplicate else answer

    def _decide(self, dialect: Dialect, visit: Visit) -> Answer:
        if dialect.relays_answers:
            own = self._endpoints.behind_a_proxy(visit, self._applications)
            if own is not None:
                return self._decisions.about(visit, _never_a_yes(own), "own_endpoint", asked_by=dialect.name)
        else:
            if self._contradicts(visit):
                answer = refusals.forbidden("two hosts are named")
                return self._decisions.about(visit, answer, "two_hosts", asked_by=dialect.name)
            path = visit.application.without_prefix(visit.path)
            if is_under_prefix(path):
                if path in own_endpoints.NAMES:
                    return HttpAnswer(200)
                answer = refusals.forbidden("no endpoint of the outpost")
                return self._decisions.about(visit, answer, "no_endpoint", asked_by=dialect.name)
        if (";" in visit.path or "%" in visit.path) and visit.application.rules.could_be_misled(visit.path):
            closed = refusals.ambiguous_escape(400 if dialect.relays_answers else 403)
            return self._decisions.about(visit, closed, "ambiguous_escape", asked_by=dialect.name)
        verdict = self._judge.judge(visit)
        if isinstance(verdict, (Known, Opening, Rejection)):
            return self._conclude(dialect, visit, verdict)
        return self._conclude_later(dialect, visit, verdict)

    async def _conclude_later(self, dialect: Dialect, visit: Visit, verdict: Awaitable[Verdict]) -> HttpAnswer:
        try:
            answer = self._conclude(dialect, visit, await verdict)
        except StoreUnavailable:
            log.error("a session could not be checked: the session store does not answer")
            page = is_navigation(visit.fields, visit.scheme)
            closed = refusals.store_unavailable(visit.application) if page else refusals.store_unavailable_json()
            answer = self._decisions.about(visit, closed, "store_unavailable", asked_by=dialect.name)
        return answer if isinstance(answer, HttpAnswer) else await answer

    def _conclude(self, dialect: Dialect, visit: Visit, verdict: Verdict) -> Answer:
        if isinstance(verdict, Known):
            return self._passed(visit, verdict)
        if verdict is Opening.OPEN:
            return HttpAnswer(200)
        answer = self._turned_away.answer(visit, verdict, relayed=dialect.relays_answers)
        return self._decisions.turned_away(visit, verdict, _never_a_yes(answer), asked_by=dialect.name)

    def _passed(self, visit: Visit, known: Known) -> HttpAnswer:
        """The only answer that lets a person through."""
        question = visit.question
        fused = question.trusted and not question.peer
        agent: Header = (b"User-Agent", visit.fields.raw("user-agent"))
        headers = (*known.headers, agent)
        if fused:  # the private field names the session, for the proxy in this very process
            headers = (*known.headers, (_SESSION_FIELD, known.session.id_hash.hex().encode()), agent)
        # Below an application's own prefix are endpoints of ours, too: such a path is looked at every time.
        alone = not visit.application.path and self._applications.is_one(visit.host, visit.scheme)
        return Passed(200, headers, known=known, applications=self._applications, alone=alone)

    def _contradicts(self, visit: Visit) -> bool:
        """Whether nginx chose the server block of another host of ours than its ``$http_host`` names.

        With an absolute request target nginx goes by that and still hands the client's ``Host`` to us, so a
        client could be judged for one application and served by another.
        """
        host = visit.fields.text("host")
        chosen, asked = parse_authority(host), parse_authority(visit.host)
        if chosen is None or asked is None or chosen.name == asked.name:
            return False
        return self._applications.knows(host, visit.application.scheme)

    # --- the browser asks --------------------------------------------------------------------------------------

    def _browser_asks(self, question: HttpQuestion, fields: Fields, trusted: bool) -> Answer:
        path, query = split_target(ascii_target(question.target.decode("latin-1"), "latin-1"))
        host = (fields.text("x-forwarded-host") if trusted else "") or fields.text("host")
        said = fields.text("x-forwarded-proto").lower() if trusted else ""
        scheme = PLAIN.get(said, said) or ("https" if question.tls else "http")
        try:
            application = self._applications.find(host, scheme, path)
        except AmbiguousPath:
            refused, reason = refusals.ambiguous_path(), "ambiguous_path"
            return self._of_nobody(question, fields, refused, reason, "browser", trusted, scheme, host, path)
        if application is None:
            refused, reason = self._unknown_host(host), "no_application"
            return self._of_nobody(question, fields, refused, reason, "browser", trusted, scheme, host, path)
        visit = Visit(
            application,
            question.method.decode("latin-1"),
            scheme,
            host,
            path,
            query,
            fields,
            application.cookies.presented(fields.cookies),
            question,
            True,
        )
        done = self._endpoints.answer(visit, application.without_prefix(path), self._applications)
        answer = self._decisions.about(visit, done, "own_endpoint", asked_by="browser")
        return self._saying_duplicate(visit, answer) if visit.presented.duplicate else answer

    # --- what is wrong -----------------------------------------------------------------------------------------

    def _misconfigured(self, fields: Fields, dialect: Dialect, question: HttpQuestion) -> Answer:
        host = fields.text("x-forwarded-host") or fields.text("host")
        application = self._applications.find(host, "https") if parse_authority(host) else None
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

    def _of_nobody(
        self,
        question: HttpQuestion,
        fields: Fields,
        answer: HttpAnswer,
        reason: str,
        asked_by: str,
        trusted: bool,
        scheme: str,
        host: str,
        path: str,
    ) -> HttpAnswer:
        """``answer`` to a question about a place that is no application's."""
        return self._decisions.refused(
            question,
            fields,
            answer,
            reason,
            asked_by=asked_by,
            trusted=trusted,
            scheme=scheme,
            host=host,
            path=path,
            known_hosts=self._applications.hosts,
        )

    async def _report_and_answer(self, report: ReportMisconfiguration, answer: Answer) -> HttpAnswer:
        await self._reports.send(report)
        return answer if isinstance(answer, HttpAnswer) else await answer

    def _unknown_host(self, host: str) -> HttpAnswer:
        count = self._reports.due("no app for hostname")
        if count:
            known = ", ".join(self._applications.hosts) or "none"
            log.warning("no app for hostname %.300r (%d times); known hosts: %s", host, count, known)
        return refusals.unknown_host(host[:300])

    def _saying_duplicate(self, visit: Visit, answer: Answer) -> Answer:
        message = "session.duplicate_cookie: two different session cookies came with one request"
        provider = visit.application.provider.pk
        count = self._reports.due(message, provider)
        if not count:
            return answer
        request_id = visit.question.request_id.decode("ascii")
        report = ReportMisconfiguration(message, provider, visit.client_ip, visit.url_for_events, count, request_id)
        return self._report_and_answer(report, answer)


def _never_a_yes(answer: Answer) -> Answer:
    """A proxy takes every 2xx for "may pass": none of our pages and redirects may be one (S-302)."""
    if isinstance(answer, HttpAnswer):
        return answer if answer.status >= 300 else refusals.configuration_error()
    return _never_a_yes_later(answer)


async def _never_a_yes_later(answer: Awaitable[HttpAnswer]) -> HttpAnswer:
    done = await answer
    return done if done.status >= 300 else refusals.configuration_error()
