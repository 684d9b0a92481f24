"""``forwardAuth``: ask an auth server whether a request may pass, and as whom (``contracts/proxy.md`` section 5).

The same code runs whether the server is asked over HTTP or is the outpost in this very process. Only a complete
2xx answer lets a request pass; everything that goes wrong closes (S-303, S-304).
"""

from __future__ import annotations

import asyncio
from binascii import unhexlify
from collections.abc import Awaitable
from functools import partial

from doorward.config.patterns import MAX_SUBJECT, compile_pattern
from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.proxy.field_names import DROPPED, IDENTITY_PREFIX, NameTable
from doorward.proxy.middlewares.bulkhead import Bulkhead, Bulkheads
from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.middlewares.denial import (
    BUSY,
    CONSUMED_FIELD,
    FAILED,
    SESSION_FIELD,
    TOO_LARGE,
    denial_of,
    relayed,
    sign_in,
)
from doorward.proxy.middlewares.own_cookies import any_sets_own_cookie, sets_own_cookie, without_own_cookies
from doorward.proxy.middlewares.passages import Passages
from doorward.proxy.middlewares.sub_request import SubRequest
from doorward.proxy.ports import AuthAnswerTooLarge, AuthServerBusy, AuthServerUnreachable, ForwardAuthority
from doorward.proxy.rechecks import Recheck, Word, both
from doorward.proxy.request import BodyTooLarge, Check, Request, ResponseHead
from doorward.wire.cookies import set_cookie_name

TIMEOUT = 10.0
"""Seconds that one question may take in all, connecting included."""

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
        self._listed = frozenset(name.lower().encode() for name in middleware.auth_response_headers) - _NEVER_TAKEN
        regex = middleware.auth_response_headers_regex
        self._pattern = compile_pattern(regex) if regex else None
        self._cookies = frozenset(name.encode() for name in middleware.add_auth_cookies_to_response)
        self._user_field = middleware.header_field.lower().encode()
        self._passages = Passages()
        self._last_pass = FAILED
        """The answer behind the last ``_judge`` that let a request pass."""
        self._roles: NameTable[int] = NameTable(self._role)
        self._fused = middleware.fused
        self._forwards_body = middleware.forward_body
        self._most = middleware.max_response_body_size
        self._guards_cookies = middleware.fused or sub_request.path.startswith(OUTPOST_PATH)

    @classmethod
    def build(cls, middleware: ForwardAuth, authority: ForwardAuthority, bulkheads: Bulkheads) -> ForwardAuthMiddleware:
        """Raises ValueError when a value of ``middleware`` cannot work."""
        sub_request = SubRequest(middleware)
        return cls(middleware, sub_request, authority, bulkheads.of(sub_request.server))

    # --- on the way in

    def enter(self, request: Request) -> HttpAnswer | Awaitable[HttpAnswer | None] | None:
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
        """Only our own outpost says when a yes is over."""
        return self._fused and not self._forwards_body

    def regards(self, name: bytes) -> bool:
        """See ``SteadyMiddleware``: what the authority looks at, and what is its to set."""
        return bool(self._roles[name]) or self._authority.regards(name)

    def rehearse(self, request: Request) -> Check | None:
        """See ``SteadyMiddleware``: only for a session that passed with this very header block."""
        block = request.headers
        if not self.steady or not isinstance(block, tuple):
            return None
        return self._passages.rehearse(request, block, self._authority)

    async def _ask_with_body(self, request: Request) -> HttpAnswer | None:
        limit = self._middleware.max_body_size
        if request.read_body is None or (request.body_length is not None and request.body_length > limit):
            return TOO_LARGE
        try:
            request.body = await request.read_body(limit)
        except BodyTooLarge:
            return TOO_LARGE
        outcome = self._ask(request, request.body)
        return outcome if outcome is None or isinstance(outcome, HttpAnswer) else await outcome

    def _ask(self, request: Request, body: bytes) -> HttpAnswer | Awaitable[HttpAnswer | None] | None:
        if self._bulkhead.full:
            return self._refuse(request, AuthServerBusy("too many requests wait for it"))
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
        if 200 <= answer.status < 300:
            return Word.YES
        return Word.NOTHING if answer.status >= 500 or answer.status in (408, 429) else Word.NO

    def _refuse(self, request: Request, error: Exception) -> HttpAnswer:
        request.denial = "failed"
        reason = str(error) or type(error).__name__
        self._complaints.say("forward_auth.failed", f"{self._middleware.name} ({self._sub_request.server})", reason)
        if isinstance(error, AuthServerBusy):
            return BUSY
        return TOO_LARGE if isinstance(error, AuthAnswerTooLarge) else FAILED

    # --- what the answer means

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
        roles = self._roles
        taken: list[Header] = []
        seen = 0
        session = b""
        dropped = _TAKEN
        for header in answer.headers:
            role = roles[header[0]]
            seen |= role
            if role & _TAKEN:
                taken.append(header)
            elif role & _SESSION:
                session = header[1]
            elif role & _CONSUMED and header[1].lower() == b"authorization":
                dropped |= _AUTHORIZATION
        if self._fused and not self._take_session(request, session, seen):
            return self._refuse(request, AuthServerUnreachable("the outpost's answer is incomplete"))
        if seen & _NOTED:
            self._note(request, answer)
        if request.websocket:
            # What a hostile page's handshake could ride on: an identity, or a cookie that some auth server believed.
            request.credentialed = bool(taken or (not self._fused and request.first(b"cookie")))
        kept: list[Header] = []
        for header in request.headers:
            role = roles[header[0]]
            if role & dropped:
                continue  # never the client's, even where the answer has none (S-110); nor what has been used up
            if role & _COOKIE and self._guards_cookies:
                rest = without_own_cookies(header)
                if rest is None:
                    continue
                header = rest
            kept.append(header)
        request.headers = (*kept, *taken)
        self._last_pass = answer
        return None

    def _role(self, name: bytes) -> int:
        """What the field ``name`` (lower case) is to this middleware; several roles add up."""
        role = _IDENTITY.get(name, _OTHER_IDENTITY if name.startswith(IDENTITY_PREFIX) else 0)
        if self._takes(name):
            role |= _TAKEN
        if name == SESSION_FIELD:
            role |= _SESSION
        if name == self._user_field or (self._cookies and name == b"set-cookie"):
            role |= _NOTED
        if name == b"cookie":
            role |= _COOKIE
        if name == CONSUMED_FIELD and self._guards_cookies:
            role |= _CONSUMED
        if name == b"authorization":
            role |= _AUTHORIZATION
        return role

    def owns(self, name: bytes) -> bool:
        """The field ``name`` (lower case) says who it is: only the auth server does."""
        return bool(self._roles[name] & (_TAKEN | _OTHER_IDENTITY | _USERNAME | _UID))

    def _takes(self, name: bytes) -> bool:
        """Whether ``name`` (lower case) is the auth server's to set."""
        if name in self._listed:
            return True
        if self._pattern is None or name in _NEVER_TAKEN or len(name) > MAX_SUBJECT:
            return False
        return self._pattern.search(canonical_name(name)) is not None

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

    @staticmethod
    def _take_session(request: Request, session: bytes, seen: int) -> bool:
        """Note whose session this is. False when our own outpost says who it is only in part (S-302)."""
        if seen & (_USERNAME | _UID | _OTHER_IDENTITY) and not (seen & _USERNAME and seen & _UID):
            return False
        if seen & _SESSION:
            try:
                request.session = unhexlify(session)
            except ValueError:
                return False
        return True

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


_NEVER_TAKEN = DROPPED
"""Framing, hop-by-hop and private fields: an auth server cannot set them on the application's request."""

_TAKEN, _USERNAME, _UID, _OTHER_IDENTITY, _SESSION, _NOTED, _COOKIE, _CONSUMED, _AUTHORIZATION = (
    1 << bit for bit in range(9)
)
"""Roles of a field name, as bits: one look at a name says everything."""

_IDENTITY = {b"x-authentik-username": _USERNAME, b"x-authentik-uid": _UID}
"""What our own outpost never leaves out when it says who it is."""


def canonical_name(name: bytes) -> str:
    """``x-auth-user`` as ``X-Auth-User``: the spelling that ``authResponseHeadersRegex`` is written for."""
    return "-".join(part.capitalize() for part in name.decode("ascii").split("-"))
