"""What the proxy needs from elsewhere; assembly plugs it in."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.proxy.request import Request


class AuthServerUnreachable(Exception):
    """The auth server could not be asked, did not answer in time, or answered something that is no HTTP."""


class AuthServerBusy(AuthServerUnreachable):
    """Too many requests already wait for this auth server (S-919): answered 503, so that other hosts go on."""


class AuthAnswerTooLarge(Exception):
    """The auth server's answer exceeds ``maxResponseBodySize``."""


class ForwardAuthority(Protocol):
    """Whoever answers "may this request pass?": an auth server over HTTP, or the outpost in this very process.

    Both adapters pass one test suite, and for the embedded outpost they give the same bytes.
    """

    def ask(self, question: HttpQuestion) -> HttpAnswer | Awaitable[HttpAnswer]:
        """Put the sub-request and return the answer, whatever its status.

        Raises AuthServerUnreachable, AuthAnswerTooLarge (both possibly only when awaited).
        """
        ...

    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """Whether ``answer``, a pass that ``ask`` gave before, is what it would give now to the same question about
        ``path`` and ``query``. False means: ask. An authority that has no cheap way to know says False."""
        ...

    def regards(self, name: bytes) -> bool:
        """Whether the client's field ``name`` (lower case) can make a difference to a pass: to questions that differ
        in other fields alone ``still`` says the same."""
        ...


class ForwardAuthorities(Protocol):
    """Makes the authority for one ``forwardAuth`` middleware."""

    def __call__(self, middleware: ForwardAuth) -> ForwardAuthority: ...


@runtime_checkable
class Lasting(Protocol):
    """An ``InternalService`` whose answers may last."""

    def stands(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """Whether the question that got ``answer`` would get it again, were it about this page of the same host."""
        ...


class InternalService(Protocol):
    """A service that lives in the worker (``outpost@internal``, ``ping@internal`` …)."""

    def answer(self, request: Request, body: bytes) -> HttpAnswer | Awaitable[HttpAnswer]:
        """``body`` is complete and at most 1 MiB (413 otherwise, sent by the proxy)."""
        ...
