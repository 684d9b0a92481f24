"""The outpost as the proxy sees it: a function that decides (fused), and a service on the identity entry point."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.outpost.dialects.envoy import ENDPOINT as ENVOY
from doorward.outpost.fields import REGARDED
from doorward.proxy.request import Request


class Decides(Protocol):
    """An ``Outpost``, or what stands around one."""

    def answer(self, question: HttpQuestion) -> HttpAnswer | Awaitable[HttpAnswer]: ...

    def still_passes(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool: ...


class FusedOutpost:
    """``ForwardAuthority`` of a middleware whose address is this very program: the same question, no socket."""

    def __init__(self, outpost: Decides) -> None:
        self._outpost = outpost
        self.still = outpost.still_passes
        """See ``ForwardAuthority``; asked with every request, so without a step in between."""

    def ask(self, question: HttpQuestion) -> HttpAnswer | Awaitable[HttpAnswer]:
        return self._outpost.answer(replace(question, trusted=True, peer="") if question.peer else question)

    def regards(self, name: bytes) -> bool:
        return name in REGARDED


class OutpostService:
    """``outpost@internal``: other proxies' sub-requests, and browsers at ``/outpost.goauthentik.io/…``."""

    def __init__(self, outpost: Decides) -> None:
        self._outpost = outpost

    def answer(self, request: Request, body: bytes) -> HttpAnswer | Awaitable[HttpAnswer]:
        target = request.path if request.query is None else request.path + b"?" + request.query
        if request.target.startswith(ENVOY):
            # Below Envoy's prefix stands the path that its application will get. Only as it was spelled does it show
            # that servers could disagree about it (S-203, S-207), as the fields of other proxies do.
            target = request.target
        headers = ((b"Host", request.authority), *request.headers)
        return self._outpost.answer(
            HttpQuestion(
                request.method,
                target,
                headers,
                body,
                request.peer,
                request.trusted,
                request.tls,
                request.id,
                request.client,
            )
        )

    def stands(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """Whether a yes to a question about one page is a yes to the same question about this one (``Lasting``)."""
        return self._outpost.still_passes(answer, path, query)
