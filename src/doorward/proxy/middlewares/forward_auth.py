"""``forwardAuth``: ask an auth server whether a request may pass, and as whom (``contracts/proxy.md`` section 5).

The same code runs whether the server is asked over HTTP or is the outpost in this very process. Only a complete
2xx answer lets a request pass; everything that goes wrong closes (S-303, S-304).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.net.client import TooLarge
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.middlewares.auth_pass import AuthPass
from doorward.proxy.middlewares.bulkhead import TIMEOUT, Bulkhead, Bulkheads
from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.middlewares.denial import (
    BUSY,
    FAILED,
    TOO_LARGE,
    denial_of,
    relayed,
    sign_in,
)
from doorward.proxy.middlewares.field_roles import (
    CONSUMED,
    NOTED,
    OTHER_IDENTITY,
    TAKEN,
    UID,
    USERNAME,
    FieldRoles,
)
from doorward.proxy.middlewares.inquiry import Essence, Habit, Inquiry, Toll
from doorward.proxy.middlewares.own_cookies import any_sets_own_cookie, sets_own_cookie
from doorward.proxy.middlewares.passages import Passages
from doorward.proxy.middlewares.program_rechecks import recheck_of_program, word_of
from doorward.proxy.middlewares.sub_request import SubRequest
from doorward.proxy.pending import Pending
from doorward.proxy.ports import AuthAnswerTooLarge, AuthServerBusy, AuthServerUnreachable, ForwardAuthority
from doorward.proxy.rechecks import Recheck, Word, both
from doorward.proxy.request import Asked, BodyTooLarge, Check, Request, ResponseHead
from doorward.wire.cookies import set_cookie_name
from doorward.wire.http1.response import ReceivedHead

OUTPOST_PATH = "/outpost.goauthentik.io/"
"""An address with this path is an authentik-style outpost: its session cookies are ours to guard."""


class ForwardAuthMiddleware:
    """Runs one ``forwardAuth``."""

    def __init__(
        self, middleware: ForwardAuth, sub_request: SubRequest, authority: ForwardAuthority, bulkhead: Bulkhead
    ) -> None:
        """Raises ValueError when ``authResponseHeadersRegex`` is no expression that may run."""
        self._middleware = middleware
        self._sub_request = sub_request
        self._authority = authority
        self._bulkhead = bulkhead
        self._complaints = Complaints()
        self._cookies = frozenset(name.encode() for name in middleware.add_auth_cookies_to_response)
        self._user_field = middleware.header_field.lower().encode()
        self._passages = Passages()
        self._last_pass = FAILED
        """The answer behind the last ``_judge`` that let a request pass."""
        self._guards_cookies = middleware.fused or sub_request.path.startswith(OUTPOST_PATH)
        self._roles = FieldRoles(middleware, self._guards_cookies).of
        self._fused = middleware.fused
        self._forwards_body = middleware.forward_body
        self._most = middleware.max_response_body_size
        self._inquiry: Inquiry | None = None
        """How it is asked elsewhere."""
        if isinstance(authority, HttpAuthority):
            self._inquiry = Inquiry(self, middleware, sub_request, authority, bulkhead, self._essence)

    @classmethod
    def build(cls, middleware: ForwardAuth, authority: ForwardAuthority, bulkheads: Bulkheads) -> ForwardAuthMiddleware:
        """Raises ValueError when a value of ``middleware`` cannot work."""
        sub_request = SubRequest(middleware)
        return cls(middleware, sub_request, authority, bulkheads.of(sub_request.server))

    # --- on the way in

    def enter(self, request: Request) -> HttpAnswer | Pending | Awaitable[HttpAnswer | None] | None:
        asked = request.asked
        if asked is not None and asked.by is self:
            request.asked = None
            return self._hear(request, asked)
        if not self._forwards_body or request.body_length == 0:
            block = request.headers
            if not self._fused or not isinstance(block, tuple):
                return self._ask(request, b"")
            if self._passages.leads(request, block, self._authority):
                return None
            outcome = self._ask(request, b"")
            if outcome is None and not request.added_cookies:
                self._passages.keep(request, block, self._last_pass)
            return outcome
        if request.body is not None:
            return TOO_LARGE if len(request.body) > self._middleware.max_body_size else self._ask(request, request.body)
        return self._ask_with_body(request)

    @property
    def steady(self) -> bool:
        """Our own outpost says when a yes is over; another auth server has to be asked about every request."""
        return (self._fused or self.asks) and not self._forwards_body and not self._cookies

    @property
    def asks(self) -> bool:
        """A server elsewhere is asked."""
        return self._inquiry is not None

    def regards(self, name: bytes) -> bool:
        """See ``SteadyMiddleware``: what the authority looks at, and what is its to set."""
        return bool(self._roles[name]) or self._authority.regards(name)

    def rehearse(self, request: Request) -> Check | Toll | None:
        """See ``SteadyMiddleware``: only for a client that passed with this very header block."""
        block = request.headers
        if not self.steady or not isinstance(block, tuple):
            return None
        if self._inquiry is None:
            return self._passages.rehearse(request, block, self._authority)
        habit = self._inquiry.habit(request)
        if habit is None or habit.head is None:
            return None
        self._pass_as_before(request, habit)
        return Toll(self._inquiry, habit, habit.head)

    async def _ask_with_body(self, request: Request) -> HttpAnswer | None:
        limit = self._middleware.max_body_size
        if request.read_body is None or (request.body_length is not None and request.body_length > limit):
            return TOO_LARGE
        try:
            request.body = await request.read_body(limit)
        except BodyTooLarge:
            return TOO_LARGE
        outcome = self._ask(request, request.body)
        assert not isinstance(outcome, Pending), "only for a middleware that forwards no bodies"
        return outcome if outcome is None or isinstance(outcome, HttpAnswer) else await outcome

    def _ask(self, request: Request, body: bytes) -> HttpAnswer | Pending | Awaitable[HttpAnswer | None] | None:
        if self._bulkhead.full:
            return self._refuse(request, AuthServerBusy("too many requests wait for it"))
        if self._inquiry is not None and not self._forwards_body:
            pending = self._inquiry.about(request)
            if pending is not None:
                return pending
        question = self._sub_request.question(request, body)
        if not self._fused and not body and self._middleware.recheck_interval:
            again = Recheck(self._middleware.recheck_interval, partial(self._ask_again, question))
            request.recheck = both(request.recheck, again)
        try:
            answer = self._authority.ask(question)
        except (AuthServerUnreachable, AuthAnswerTooLarge) as error:
            return self._refuse(request, error)
        if isinstance(answer, HttpAnswer):
            return self._judge(request, answer)
        return self._wait(request, answer)

    async def _wait(self, request: Request, pending: Awaitable[HttpAnswer]) -> HttpAnswer | None:
        # When the client leaves, the engine cancels this task, and with it the sub-request (S-305).
        with self._bulkhead:
            try:
                async with asyncio.timeout(TIMEOUT):
                    answer = await pending
            except (AuthServerUnreachable, AuthAnswerTooLarge, TimeoutError) as error:
                return self._refuse(request, error)
        return self._judge(request, answer)

    async def _ask_again(self, question: HttpQuestion) -> Word:
        """Whether what is open may stay open."""
        if self._bulkhead.full:
            return Word.NOTHING
        with self._bulkhead:
            try:
                async with asyncio.timeout(TIMEOUT):
                    asked = self._authority.ask(question)
                    answer = asked if isinstance(asked, HttpAnswer) else await asked
            except (AuthServerUnreachable, AuthAnswerTooLarge, TimeoutError):
                return Word.NOTHING
        return word_of(answer)

    def _refuse(self, request: Request, error: Exception) -> HttpAnswer:
        request.denial = "failed"
        reason = str(error) or type(error).__name__
        self._complaints.say("forward_auth.failed", f"{self._middleware.name} ({self._sub_request.server})", reason)
        if isinstance(error, AuthServerBusy):
            return BUSY
        return TOO_LARGE if isinstance(error, AuthAnswerTooLarge | TooLarge) else FAILED

    # --- what the answer means

    def _hear(self, request: Request, asked: Asked) -> HttpAnswer | None:
        """The answer from elsewhere is here."""
        head = asked.answer
        if isinstance(head, Exception):
            return self._refuse(request, head)
        assert self._inquiry is not None
        habit = self._inquiry.habit(request)
        if habit is not None and habit.head is head and len(asked.body) <= self._most and not request.websocket:
            self._pass_as_before(request, habit)
            return None
        headers = tuple(header for header in head.headers if len(header[0]) != 4 or header[0].lower() != b"date")
        user, request.user = request.user, ""
        outcome = self._judge(request, HttpAnswer(head.status, headers, asked.body))
        if outcome is None and habit is not None and not request.added_cookies:
            assert isinstance(request.headers, tuple)
            habit.head, habit.headers, habit.user = head, request.headers, request.user
        request.user = request.user or user
        return outcome

    @staticmethod
    def _pass_as_before(request: Request, habit: Habit) -> None:
        request.headers = habit.headers
        request.user = habit.user or request.user

    def _essence(self, head: ReceivedHead) -> Essence:
        """What of an answer makes a difference to the request that it lets pass."""
        roles = self._roles
        return tuple(header for header in head.headers if roles[header[0]] & (TAKEN | CONSUMED | NOTED))

    def _judge(self, request: Request, answer: HttpAnswer) -> HttpAnswer | None:
        if 200 <= answer.status < 300:
            return self._let_pass(request, answer)
        if answer.status < 300:
            return self._refuse(request, AuthServerUnreachable(f"it answered {answer.status}"))
        if len(answer.body) > self._most:
            return self._refuse(request, AuthAnswerTooLarge("its answer is too large"))
        request.denial = denial_of(answer.status)
        if answer.status == 401 and self._middleware.auth_signin_url:
            return sign_in(self._middleware.auth_signin_url)
        return relayed(answer, self._middleware.address, self._middleware.preserve_location_header)

    def _let_pass(self, request: Request, answer: HttpAnswer) -> HttpAnswer | None:
        if len(answer.body) > self._most:
            return self._refuse(request, AuthAnswerTooLarge("its answer is too large"))
        passed = AuthPass(answer.headers, self._roles)
        if self._fused:
            session = passed.session()
            if session is None:
                return self._refuse(request, AuthServerUnreachable("the outpost's answer is incomplete"))
            request.session = session or request.session
            if passed.is_program:
                question = self._sub_request.question(request, b"")
                request.recheck = both(request.recheck, recheck_of_program(self._authority, question, answer))
        if passed.is_noted:
            self._note(request, answer)
        if request.websocket:
            # What a hostile page's handshake could ride on: an identity, or a cookie that some auth server believed.
            request.credentialed = bool(passed.taken or (not self._fused and request.first(b"cookie")))
        request.headers = passed.applied(request.headers, self._roles, guards_cookies=self._guards_cookies)
        self._last_pass = answer
        return None

    def owns(self, name: bytes) -> bool:
        """The field ``name`` (lower case) says who it is: only the auth server does."""
        return bool(self._roles[name] & (TAKEN | OTHER_IDENTITY | USERNAME | UID))

    def _note(self, request: Request, answer: HttpAnswer) -> None:
        """Who it was, for the log, and the cookies that the client is to get."""
        user = b""
        for field, value in answer.headers:
            name = field.lower()
            if name == self._user_field:
                user = user or value
            if name == b"set-cookie" and set_cookie_name(value) in self._cookies:
                request.added_cookies.append(value)
        if user:
            request.user = user.decode("utf-8", "replace")

    # --- on the way out

    def leave(self, request: Request, response: ResponseHead) -> None:
        if self._guards_cookies and any_sets_own_cookie(response.headers):
            response.headers = [header for header in response.headers if not sets_own_cookie(header)]
            self._complaints.say("session.cookie_dropped", self._middleware.name, "the application set our cookie")
        if request.added_cookies:
            added, request.added_cookies = request.added_cookies, []
            names = {set_cookie_name(value) for value in added}
            response.headers = [
                header
                for header in response.headers
                if header[0].lower() != b"set-cookie" or set_cookie_name(header[1]) not in names
            ]
            response.headers.extend((b"Set-Cookie", value) for value in added)
