"""An ``Outpost`` with what it needs on its own around it: sessions in the browser's cookies, and the back-channel
logout endpoint. It is asked exactly as an ``Outpost`` is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.outpost.answer import Outpost
from doorward.outpost.application import Application
from doorward.outpost.paths import PREFIX
from doorward.outpost.sessions.cookie import SESSION
from doorward.outpost.standalone.back_channel_logout import PATH as LOGOUT
from doorward.outpost.standalone.back_channel_logout import BackChannelLogout
from doorward.outpost.standalone.sealed_store import Carried, SealedStore, carry
from doorward.outpost.yes import Answer, Passed

_LOGOUT = LOGOUT.encode()
_AUTH = f"{PREFIX}/auth/".encode()


class StandaloneOutpost:
    """See the module. ``sealed`` is None where sessions are kept on the server."""

    def __init__(
        self,
        outpost: Outpost,
        sealed: SealedStore | None,
        logout: BackChannelLogout | None,
        now: Callable[[], float],
    ) -> None:
        self._now = now
        self._outpost = outpost
        self._sealed = sealed
        self._logout = logout

    def answer(self, question: HttpQuestion) -> Answer:
        """As ``Outpost.answer``."""
        if self._logout is not None:
            path = question.target.partition(b"?")[0]
            if path == _LOGOUT:
                return self._logout.answer(question)
            if path.startswith(_AUTH) and _is_about_logout(question):
                return HttpAnswer(200)  # our own proxy hands it to us with its body
        if self._sealed is None:
            return self._outpost.answer(question)
        request = Carried([value for name, value in question.headers if name.lower() == b"cookie"])
        carry(request)
        answer = self._outpost.answer(question)
        if isinstance(answer, HttpAnswer):
            return self._with_cookies(self._sealed, request, answer)
        return self._later(self._sealed, request, answer)

    def still_passes(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """As ``Outpost.still_passes``. What is due about a session is looked at with the request's own cookies only."""
        if self._sealed is not None and isinstance(answer, Passed) and self._is_something_due(self._sealed, answer):
            return False
        return path != _LOGOUT and self._outpost.still_passes(answer, path, query)

    def _is_something_due(self, sealed: SealedStore, answer: Passed) -> bool:
        return answer.known.attention_at <= self._now() or sealed.is_stamp_due(answer.known)

    async def _later(self, sealed: SealedStore, request: Carried, pending: Awaitable[HttpAnswer]) -> HttpAnswer:
        carry(request)
        return self._with_cookies(sealed, request, await pending)

    def _with_cookies(self, sealed: SealedStore, request: Carried, answer: HttpAnswer) -> HttpAnswer:
        """The answer with what the browser must be given, or lose, of its sealed session."""
        if isinstance(answer, Passed) and sealed.is_stamp_due(answer.known):
            sealed.stamp(answer.known, request)
        set_by_us = [value for name, value in answer.headers if name == b"Set-Cookie"]
        if not set_by_us and not request.given and not sealed.has_news:
            return answer
        more: list[bytes] = []
        for application in self._outpost.applications():
            more += _cookies(sealed, request, application, set_by_us)
        if not more:
            return answer
        added: tuple[Header, ...] = tuple((b"Set-Cookie", value) for value in more)
        return replace(answer, headers=(*answer.headers, *added))


def _cookies(sealed: SealedStore, request: Carried, application: Application, set_by_us: list[bytes]) -> list[bytes]:
    jar = application.cookies
    for value in set_by_us:
        if value.startswith(jar.name + b"="):
            ticket = jar.unseal(value[len(jar.name) + 1 :].partition(b";")[0])
            if ticket is None:
                return sealed.cookies_away(application, request)
            return sealed.cookies_for(application, ticket, request) if ticket.kind == SESSION else []
    ticket = jar.presented(request.cookies).ticket
    if ticket is None or ticket.kind != SESSION:
        return []
    return sealed.cookies_for(application, ticket, request)


def _is_about_logout(question: HttpQuestion) -> bool:
    """Only our own proxy may let a request pass for this: others would hand it to the application."""
    if question.peer or not question.trusted:
        return False
    asked = question.first(b"x-forwarded-uri") or b""
    return asked.partition(b"?")[0] == _LOGOUT and question.first(b"x-forwarded-method") == b"POST"
