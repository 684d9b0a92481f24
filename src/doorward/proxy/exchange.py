"""The life of one request: match → enter middlewares → service → leave middlewares → client.

An exchange runs within one turn of the event loop as far as nobody has to be waited for; only a middleware or an
internal service that returns an awaitable moves it into a task. It keeps the routes it started with, whatever is
loaded meanwhile. Whatever goes wrong in it stays in it (S-922).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine

from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.answers import (
    BROKEN_ROUTE,
    FORBIDDEN_ORIGIN,
    MISDIRECTED,
    NO_ROUTE,
    rejection_answer,
)
from doorward.proxy.body_collector import collect_body
from doorward.proxy.body_copy import BodyCopy
from doorward.proxy.downstream import BodyReceiver, Downstream
from doorward.proxy.pending import Pending
from doorward.proxy.ports import Lasting
from doorward.proxy.reply import Reply
from doorward.proxy.request import Request
from doorward.proxy.routing import Route
from doorward.proxy.service import Service, ServiceRun
from doorward.proxy.surroundings import Surroundings
from doorward.proxy.trailers import admitted
from doorward.proxy.websocket_origin import origin_is_ours
from doorward.wire.http1.errors import Rejected

CLIENT_CLOSED = 499
"""For the log: the client went away before it was answered."""


class Exchange(Reply):
    """See the module."""

    __slots__ = ("_pending", "_task", "body_copies", "lasting", "run", "said")

    def __init__(self, surroundings: Surroundings, downstream: Downstream, request: Request, target: bytes) -> None:
        super().__init__(surroundings, downstream, request, target)
        self.run: ServiceRun | None = None
        """The service at work, which hears of the client's pace and departure."""
        self.body_copies: tuple[BodyCopy, ...] = ()
        """Whoever wants what the client sends as well."""
        self.lasting: Lasting | None = None
        self.said: HttpAnswer | None = None
        """What a service of this worker has answered at once, and who can tell whether it may be said again."""
        self._task: asyncio.Task[None] | None = None
        self._pending: Pending | None = None

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
                    return
                if self.request.session:
                    self._surroundings.sessions.add(self.request.session, self)
                if isinstance(outcome, Pending):
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

    def goes_straight_to(self, service: Service) -> bool:
        """Nothing stands between the router and ``service``."""
        return self._route is not None and self._route.service is service and not self._entered and not self.watchers

    def apart(self, downstream: Downstream, request: Request) -> Exchange:
        """Another exchange of this worker, of which neither log nor metrics hear."""
        return Exchange(self._surroundings.apart(), downstream, request, self.account.target)

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
        if self._over:
            return
        if self.run is not None:
            self.run.session_ended()
            return
        if self._pending is not None:
            self._pending.cancel()
        if self._task is not None:
            if self._task is asyncio.current_task():
                return  # it is what ends the session
            self._task.cancel()
        self.close()

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
        request = self.request
        if request.session:
            self._surroundings.sessions.discard(request.session, self)
        if request.recheck is not None:
            self._surroundings.rechecks.discard(self)
        super()._close_account(complete)
