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

from doorward.config.skip_rules import Opening
from doorward.config.step_up_rules import Shortfall
from doorward.messages.decisions import Decision
from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import ProxySession, Seen
from doorward.outpost import own_endpoints, refusals
from doorward.outpost.application import Application
from doorward.outpost.applications import Applications
from doorward.outpost.callback import Callback
from doorward.outpost.decisions import Decisions
from doorward.outpost.dialects.catalogue import dialect_at
from doorward.outpost.dialects.dialect import Dialect
from doorward.outpost.dialects.nginx import names_two_hosts
from doorward.outpost.fields import Fields
from doorward.outpost.foreign_login import ForeignLogins, NewerKeys, no_newer_keys
from doorward.outpost.hosts import PLAIN
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
from doorward.outpost.step_up import StepUp, shortfall
from doorward.outpost.strays import Strays
from doorward.outpost.trust import DEFAULT_TRUSTED, TrustedPeers
from doorward.outpost.turned_away import TurnedAway
from doorward.outpost.visit import Visit
from doorward.outpost.yes import Answer, Lent, Passed, never_a_yes

log = logging.getLogger(__name__)

_OURS = PREFIX.encode()
_SESSION_FIELD = b"X-Doorward-Session"
_PING = f"{PREFIX}/ping".encode()


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
        reports = Reports(store, now)
        self._decisions = Decisions(decided, now)
        self._strays = Strays(reports, self._decisions)
        self._machines = Machines(MachineLogins(channel, now, foreign), now)
        self._judge = Judge(self._sessions, self._machines, now)
        login = Login(self._sessions, store, now)
        callback = Callback(
            self._sessions,
            store,
            RelyingParty(channel, now, foreign=foreign),
            login,
            reports,
            UnusedLogins(self._sessions.last_passed),
            now,
        )
        self._turned_away = TurnedAway(login, now)
        self._step_up = StepUp(login, now)
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
        if not isinstance(answer, Passed) or answer.applications is not self._applications or answer.whole is None:
            return False
        if b"%" in path or b";" in path or path.startswith(_OURS) or (query is not None and b"X-authentik-" in query):
            return False
        if path in self._applications.callback_paths:
            return False
        known, now = answer.known, self._now()
        if not self._sessions.still_known(known, now):
            return False
        application = known.application
        if application.steps is not None and shortfall(application, path.decode("latin-1"), answer.whole, known, now):
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
        dialect = dialect_at(endpoint)
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
            return self._strays.misconfigured(self._applications, fields, dialect, question)
        scheme = PLAIN.get(forwarded.scheme, forwarded.scheme)
        path, query = split_target(forwarded.target)
        try:
            application = self._applications.find(forwarded.host, scheme, path)
            ambiguous = False
        except AmbiguousPath:
            application, ambiguous = None, True
        if application is None:
            asked_by, host = dialect.name, forwarded.host
            return self._strays.of_nobody(
                self._applications, question, fields, asked_by, True, scheme, host, path, ambiguous=ambiguous
            )
        presented = application.cookies.presented(fields.cookies, scheme == "https")
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
        return self._strays.saying_duplicate(visit, answer) if presented.duplicate else answer

    def _decide(self, dialect: Dialect, visit: Visit) -> Answer:
        if dialect.relays_answers:
            own = self._endpoints.behind_a_proxy(visit, self._applications)
            if own is not None:
                return self._decisions.about(visit, never_a_yes(own), "own_endpoint", asked_by=dialect.name)
        else:
            if names_two_hosts(visit, self._applications):
                answer = refusals.forbidden("two hosts are named")
                return self._decisions.about(visit, answer, "two_hosts", asked_by=dialect.name)
            path = visit.application.without_prefix(visit.path)
            if is_under_prefix(path):
                if path in own_endpoints.NAMES:
                    return HttpAnswer(200)
                answer = refusals.forbidden("no endpoint of the outpost")
                return self._decisions.about(visit, answer, "no_endpoint", asked_by=dialect.name)
        if (";" in visit.path or "%" in visit.path) and visit.application.could_be_misled(visit.path):
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
            application = visit.application
            if application.steps is not None:
                lacking = shortfall(application, visit.path, visit.rule_origin, verdict, self._now())
                if lacking is not None:
                    return self._not_enough(dialect, visit, verdict, lacking)
            return self._passed(visit, verdict)
        if verdict is Opening.OPEN:
            return HttpAnswer(200)
        answer = self._turned_away.answer(visit, verdict, relayed=dialect.relays_answers)
        return self._decisions.turned_away(visit, verdict, never_a_yes(answer), asked_by=dialect.name)

    def _not_enough(self, dialect: Dialect, visit: Visit, known: Known, lacking: Shortfall) -> Answer:
        answer = self._step_up.answer(visit, known, lacking, relayed=dialect.relays_answers)
        reason = "step_up_program" if lacking.program else "step_up"
        detail = self._step_up.in_words(visit.application, known, lacking)
        return self._decisions.about(visit, never_a_yes(answer), reason, asked_by=dialect.name, detail=detail)

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
        whole = None if not alone else "" if visit.application.steps is None else visit.rule_origin
        return Passed(200, headers, known=known, applications=self._applications, whole=whole)

    # --- the browser asks --------------------------------------------------------------------------------------

    def _browser_asks(self, question: HttpQuestion, fields: Fields, trusted: bool) -> Answer:
        path, query = split_target(ascii_target(question.target.decode("latin-1"), "latin-1"))
        host = (fields.text("x-forwarded-host") if trusted else "") or fields.text("host")
        said = fields.text("x-forwarded-proto").lower() if trusted else ""
        scheme = PLAIN.get(said, said) or ("https" if question.tls else "http")
        try:
            application = self._applications.find(host, scheme, path)
            ambiguous = False
        except AmbiguousPath:
            application, ambiguous = None, True
        if application is None:
            return self._strays.of_nobody(
                self._applications, question, fields, "browser", trusted, scheme, host, path, ambiguous=ambiguous
            )
        visit = Visit(
            application,
            question.method.decode("latin-1"),
            scheme,
            host,
            path,
            query,
            fields,
            application.cookies.presented(fields.cookies, scheme == "https"),
            question,
            True,
        )
        done = self._endpoints.answer(visit, application.without_prefix(path), self._applications)
        answer = self._decisions.about(visit, done, "own_endpoint", asked_by="browser")
        return self._strays.saying_duplicate(visit, answer) if visit.presented.duplicate else answer
