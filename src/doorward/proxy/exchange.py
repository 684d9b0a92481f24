"""The life of one request: match → enter middlewares → service → leave middlewares → client.

An exchange runs within one turn of the event loop as far as nobody has to be waited for; only a middleware or an
internal service that returns an awaitable moves it into a task. It keeps the routes it started with, whatever is
loaded meanwhile. Whatever goes wrong in it stays in it (S-922).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine

from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.account import Account
from doorward.proxy.answers import (
    BROKEN_ROUTE,
    CRASHED,
    FORBIDDEN_ORIGIN,
    MISDIRECTED,
    NO_ROUTE,
    SERVER_ERROR,
    Failure,
    failure_answer,
    reason_phrase,
    rejection_answer,
)
from doorward.proxy.body_collector import collect_body
from doorward.proxy.body_copy import BodyCopy
from doorward.proxy.downstream import BodyReceiver, Downstream
from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.open_sessions import OpenSessions
from doorward.proxy.pending import Pending
from doorward.proxy.ports import Lasting
from doorward.proxy.rechecks import Rechecks
from doorward.proxy.request import Request, ResponseHead
from doorward.proxy.request_ids import FIELD
from doorward.proxy.routing import Route, Routes
from doorward.proxy.service import Ledger, Service, ServiceRun, Watcher
from doorward.proxy.trailers import admitted
from doorward.proxy.websocket_origin import origin_is_ours
from doorward.wire.http1.errors import Rejected, UnsafeField

_log = logging.getLogger("doorward.proxy")
CLIENT_CLOSED = 499
"""For the log: the client went away before it was answered."""


def _nobody_asks(request: Request, reason: str, detail: str) -> None:
    """Keeps no record."""


class Surroundings:
    """What all exchanges of a worker share."""

    def __init__(self, routes: Routes, ledgers: tuple[Ledger, ...]) -> None:
        self.routes = routes
        self.ledgers = ledgers
        self.sessions = OpenSessions()
        self.rechecks = Rechecks()
        self.complaints = Complaints()
        self.refused: Callable[[Request, str, str], None] = _nobody_asks
        """Is told which request the proxy refuses by itself, why, and what belongs to that."""

    def apart(self) -> Surroundings:
        """The same without ledgers."""
        apart = Surroundings(self.routes, ())
        apart.sessions, apart.complaints = self.sessions, self.complaints
        apart.rechecks = self.rechecks
        return apart


class Exchange:
    """See the module."""

    __slots__ = (
        "_entered",
        "_over",
        "_pending",
        "_route",
        "_started",
        "_surroundings",
        "_task",
        "account",
        "body_copies",
        "downstream",
        "lasting",
        "request",
        "run",
        "said",
        "watchers",
    )

    def __init__(self, surroundings: Surroundings, downstream: Downstream, request: Request, target: bytes) -> None:
        self._surroundings = surroundings
        self.downstream = downstream
        self.request = request
        self.account = Account(
            request.entry_point,
            request.method,
            target,
            downstream.head.version,
            time.perf_counter(),
            time.time(),
            request.client,
            request.peer,
            request.authority,
            request.tls,
            request.id,
            request.protocol,
            request.connection,
            request.headers,
        )
        self.run: ServiceRun | None = None
        """The service at work, which hears of the client's pace and departure."""
        self.watchers: tuple[Watcher, ...] = ()
        """Services that see the response before the middlewares do; the last that was added is the first to."""
        self.body_copies: tuple[BodyCopy, ...] = ()
        """Whoever wants what the client sends as well."""
        self.lasting: Lasting | None = None
        self.said: HttpAnswer | None = None
        """What a service of this worker has answered at once, and who can tell whether it may be said again."""
        self._route: Route | None = None
        self._entered = 0
        """How many middlewares let the request in, and so see the response."""
        self._task: asyncio.Task[None] | None = None
        self._pending: Pending | None = None
        self._started = False
        self._over = False

    # --- the way in ---

    def begin(self) -> None:
        """Find the router, and go on from there."""
        try:
            route = self._surroundings.routes.match(self.request)
        except Rejected as rejected:
            self.answer(rejection_answer(rejected.status, rejected.reason))
            return
        if route is None:
            self._refuse(NO_ROUTE, "no_router")
            return
        self._route = route
        self.account.router = route.name
        self.account.service = route.service_name
        if route.broken:
            self._surroundings.complaints.say("router.broken", route.name, route.broken)
            self._refuse(BROKEN_ROUTE, "broken_router", f"{route.name}: {route.broken}")
            return
        if route.tls_options and not self._handshake_was_for(route):
            self.fail(MISDIRECTED)
            return
        if self.request.body_length != 0:
            self.request.read_body = self._read_body
        self._enter()

    def go_on(self, route: Route, started: float, started_at: float) -> None:
        """The request has passed the middlewares of ``route`` already, and its service has been asked."""
        self._route = route
        self._entered = len(route.middlewares)
        account = self.account
        account.router, account.service = route.name, route.service_name
        account.started, account.started_at = started, started_at
        if self.request.session:
            self._surroundings.sessions.add(self.request.session, self)
        if self.request.recheck is not None:
            self._surroundings.rechecks.add(self, self.request.recheck, time.monotonic())

    def _handshake_was_for(self, route: Route) -> bool:
        """A client that asks over one connection for a host whose handshake would have been another one (S-047)."""
        connection = self.request.connection
        return connection is None or connection.tls_options == route.tls_options

    def _enter(self) -> None:
        """Through the middlewares that have not seen the request yet, then to the service."""
        assert self._route is not None
        middlewares = self._route.middlewares
        while self._entered < len(middlewares):
            try:
                outcome = middlewares[self._entered].enter(self.request)
            except Exception as error:  # noqa: BLE001 - whatever it is must end this request and nothing else
                self._crash(error)
                return
            if outcome is not None:
                if isinstance(outcome, HttpAnswer):
                    self.answer(outcome)
                elif isinstance(outcome, Pending):
                    self._pending = outcome
                    outcome.then(self._enter_again)
                else:
                    self.spawn(self._enter_later(outcome))
                return
            self._entered += 1
        self._serve()

    def _enter_again(self) -> None:
        """What a middleware waited for has arrived."""
        self._pending = None
        self._enter()

    async def _enter_later(self, outcome: Awaitable[HttpAnswer | None]) -> None:
        answer = await outcome
        self._task = None
        if answer is not None:
            self.answer(answer)
        else:
            self._entered += 1
            self._enter()

    def _serve(self) -> None:
        request = self.request
        if request.websocket and (request.session or request.credentialed) and not origin_is_ours(request):
            self._refuse(FORBIDDEN_ORIGIN, "foreign_origin", (request.first(b"origin") or b"").decode("latin-1"))
            return
        if request.session:
            self._surroundings.sessions.add(request.session, self)
        if request.recheck is not None:
            self._surroundings.rechecks.add(self, request.recheck, time.monotonic())
        assert self._route is not None
        service: Service = self._route.service  # type: ignore[assignment]
        try:
            service.serve(self)
        except Exception as error:  # noqa: BLE001 - as above
            self._crash(error)

    # --- the way out ---

    def respond(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> bool:
        """Begin a response that is streamed: ``downstream.send`` follows, then ``finish``. False: it could not."""
        response = ResponseHead(status, reason, headers)
        try:
            if self.watchers and not self._may_pass(response):
                return False
            self._leave(response)
            self.account.status = status
            self.account.response_headers = response.headers
            self.downstream.start_response(response.status, response.reason, response.headers, length)
        except UnsafeField as error:
            self._surroundings.complaints.say("response.unsafe", self.account.router, error.reason)
            self._fail_bare(SERVER_ERROR)
            return False
        except Exception as error:  # noqa: BLE001 - as above
            self._log_crash(error)
            self._fail_bare(CRASHED)
            return False
        self.account.status = response.status
        self._started = True
        return True

    def answer(self, answer: HttpAnswer) -> None:
        """Send a complete response; the middlewares that let the request in see its head."""
        if self._over:
            return
        reason = reason_phrase(answer.status)
        headers = list(answer.headers)
        if answer.status >= 400:
            if self.request.denial == "failed":
                self._surroundings.refused(self.request, "auth_server_failed", self.account.router)
            # An auth server that is a proxy has named it as well.
            headers = [header for header in headers if header[0].lower() != FIELD]
            headers.append((b"X-Request-Id", self.request.id))
        if self.respond(answer.status, reason, headers, len(answer.body)):
            self._send_whole(answer.body)

    def fail(self, failure: Failure) -> None:
        """Send one of our own error answers."""
        self.answer(failure_answer(failure, self._accept(), self.request.id))

    def _refuse(self, failure: Failure, reason: str, detail: str = "") -> None:
        """The proxy itself says no: whoever asks later is told why (``messages.decisions``)."""
        self._surroundings.refused(self.request, reason, detail)
        self.fail(failure)

    def finish(self) -> None:
        """The response is complete."""
        if not self._over:
            self._close_account(complete=True)
            self.downstream.finish()

    def abort(self) -> None:
        """The response cannot be completed: let the client notice that it is cut."""
        if not self._over:
            self._close_account()
            self.downstream.abort()

    def goes_straight_to(self, service: Service) -> bool:
        """Nothing stands between the router and ``service``."""
        return self._route is not None and self._route.service is service and not self._entered and not self.watchers

    @property
    def started(self) -> bool:
        """The client has been sent a final status."""
        return self._started

    @property
    def over(self) -> bool:
        return self._over

    def tunnel(self, headers: list[Header]) -> list[Header]:
        """A 101 is about to go out with ``headers``: the middlewares see it. Returns the fields to send."""
        response = ResponseHead(101, b"Switching Protocols", headers)
        self._may_pass(response)
        self._leave(response)
        self._started = True
        self.account.status = 101
        self.account.websocket = True
        return response.headers

    def close_tunnel(self) -> None:
        """The tunnel has ended: close the client's side after what was sent."""
        if not self._over:
            self._close_account()
            self.downstream.tunnel_close()

    def complain(self, event: str, subject: str, reason: str) -> None:
        """Log a failure that is not the client's, at most once a minute per subject; nothing if nobody waits."""
        if not self._over:
            self.note(event, subject, reason)

    def note(self, event: str, subject: str, reason: str) -> None:
        """The same, whoever waits."""
        self._surroundings.complaints.say(event, subject, f"{reason} (request {self.request.id.decode('ascii')})")

    def apart(self, downstream: Downstream, request: Request) -> Exchange:
        """Another exchange of this worker, of which neither log nor metrics hear."""
        return Exchange(self._surroundings.apart(), downstream, request, self.account.target)

    def _may_pass(self, response: ResponseHead) -> bool:
        return all(watcher.responding(response) for watcher in reversed(self.watchers))

    def _leave(self, response: ResponseHead) -> None:
        if self._entered:
            assert self._route is not None
            for middleware in reversed(self._route.middlewares[: self._entered]):
                middleware.leave(self.request, response)

    # --- what happens meanwhile ---

    def client_full(self) -> None:
        if self.run is not None:
            self.run.client_full()

    def client_ready(self) -> None:
        if self.run is not None:
            self.run.client_ready()

    def client_gone(self, status: int = CLIENT_CLOSED) -> None:
        """The client closed its connection, or (``status`` says so) was refused in the middle of its body."""
        if self._over:
            return
        if not self._started:
            self.account.status = status
        if self._task is not None:
            self._task.cancel()
        if self._pending is not None:
            self._pending.cancel()
        if self.run is not None:
            self.run.client_gone()
        self._close_account()

    def session_ended(self) -> None:
        """The proxy session behind this request has ended (S-228)."""
        if self.run is not None and not self._over:
            self.run.session_ended()

    def wait(self, answer: Awaitable[HttpAnswer]) -> None:
        """Answer with what ``answer`` turns out to be."""
        self.spawn(self._answer_later(answer))

    async def _answer_later(self, pending: Awaitable[HttpAnswer]) -> None:
        answer = await pending
        self._task = None
        self.answer(answer)

    def want_body(self, receiver: BodyReceiver) -> None:
        """Let the request's body stream to ``receiver``."""
        for copy in self.body_copies:
            receiver = copy.beside(receiver)
        self.downstream.want_body(receiver)

    def admitted_trailers(self, trailers: tuple[Header, ...]) -> tuple[Header, ...]:
        """Those of the request's ``trailers`` that its application may see."""
        return admitted(trailers, self.request, () if self._route is None else self._route.middlewares)

    async def _read_body(self, limit: int) -> bytes:
        return await collect_body(self.downstream, limit)

    # --- endings ---

    def _send_whole(self, body: bytes) -> None:
        if body:
            self.downstream.send(body)
        self.finish()

    def _fail_bare(self, failure: Failure) -> None:
        """An error answer that no middleware touches, because one of them is what failed."""
        answer = failure_answer(failure, self._accept(), self.request.id)
        self.account.status = answer.status
        self._started = True
        headers = [*answer.headers, (b"X-Request-Id", self.request.id)]
        self.downstream.start_response(answer.status, reason_phrase(answer.status), headers, len(answer.body))
        self._send_whole(answer.body)

    def _crash(self, error: Exception) -> None:
        if isinstance(error, Rejected):
            self.answer(rejection_answer(error.status, error.reason))
            return
        self._log_crash(error)
        if self._started:
            self.abort()
        elif not self._over:
            self._fail_bare(CRASHED)

    def _log_crash(self, error: Exception) -> None:
        name, request_id = type(error).__name__, self.request.id.decode("ascii")
        _log.error("request.crashed %s: %s (request %s)", self.account.router, name, request_id, exc_info=error)

    def _accept(self) -> bytes:
        return self.request.first(b"accept") or b""

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Go on in a task, which ends with the exchange."""
        self._task = asyncio.get_running_loop().create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a task's exception would be nobody's
            self._task = None
            self._crash(error)

    def _close_account(self, complete: bool = False) -> None:
        self._over = True
        if self.watchers:
            watchers, self.watchers = self.watchers, ()
            for watcher in watchers:
                watcher.ended(complete)
        request, account = self.request, self.account
        if request.session:
            self._surroundings.sessions.discard(request.session, self)
        if request.recheck is not None:
            self._surroundings.rechecks.discard(self)
        account.user = request.user
        account.denial = request.denial
        account.seconds = time.perf_counter() - account.started
        for ledger in self._surroundings.ledgers:
            ledger.record(account)
