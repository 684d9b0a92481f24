"""How an exchange answers: every response passes the middlewares that let its request in, is written to the client, and
ends in the ledgers.

Whatever goes wrong on the way out becomes an error answer that nothing touches any more, or a cut response.
"""

from __future__ import annotations

import logging
import time

from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.account import Account
from doorward.proxy.answers import (
    CRASHED,
    SERVER_ERROR,
    SESSION_OVER,
    Failure,
    failure_answer,
    reason_phrase,
    rejection_answer,
)
from doorward.proxy.downstream import Downstream
from doorward.proxy.request import Request, ResponseHead
from doorward.proxy.request_ids import FIELD
from doorward.proxy.routing import Route
from doorward.proxy.service import Watcher
from doorward.proxy.surroundings import Surroundings
from doorward.wire.http1.errors import Rejected, UnsafeField

_log = logging.getLogger("doorward.proxy")


class Reply:
    """The side of an exchange that faces the client."""

    __slots__ = (
        "_entered",
        "_over",
        "_route",
        "_started",
        "_surroundings",
        "account",
        "downstream",
        "request",
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
        self.watchers: tuple[Watcher, ...] = ()
        """Services that see the response before the middlewares do; the last that was added is the first to."""
        self._route: Route | None = None
        self._entered = 0
        """How many middlewares let the request in, and so see the response."""
        self._started = False
        self._over = False

    # --- whole responses, and those that are streamed ---

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

    def close(self) -> None:
        """What let the request in has ended: a response that has begun is cut, anybody else is told."""
        if self._started:
            self.abort()
        elif not self._over:
            watchers, self.watchers = self.watchers, ()
            for watcher in watchers:
                watcher.ended(False)  # none of them has another service for this
            self._refuse(SESSION_OVER, "session_over")

    @property
    def started(self) -> bool:
        """The client has been sent a final status."""
        return self._started

    @property
    def over(self) -> bool:
        return self._over

    # --- a tunnel instead of a response ---

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

    # --- what is written down ---

    def complain(self, event: str, subject: str, reason: str) -> None:
        """Log a failure that is not the client's, at most once a minute per subject; nothing if nobody waits."""
        if not self._over:
            self.note(event, subject, reason)

    def note(self, event: str, subject: str, reason: str) -> None:
        """The same, whoever waits."""
        self._surroundings.complaints.say(event, subject, f"{reason} (request {self.request.id.decode('ascii')})")

    def _close_account(self, complete: bool = False) -> None:
        """The exchange is over."""
        self._over = True
        if self.watchers:
            watchers, self.watchers = self.watchers, ()
            for watcher in watchers:
                watcher.ended(complete)
        request, account = self.request, self.account
        account.user = request.user
        account.denial = request.denial
        account.seconds = time.perf_counter() - account.started
        for ledger in self._surroundings.ledgers:
            ledger.record(account)

    # --- within ---

    def _may_pass(self, response: ResponseHead) -> bool:
        return all(watcher.responding(response) for watcher in reversed(self.watchers))

    def _leave(self, response: ResponseHead) -> None:
        if self._entered:
            assert self._route is not None
            for middleware in reversed(self._route.middlewares[: self._entered]):
                middleware.leave(self.request, response)

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
