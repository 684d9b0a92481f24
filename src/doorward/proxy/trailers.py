"""Fields that a client sends after the body: which of them an application gets to see (S-020).

They come after everybody has looked at the request, and some applications read them as if they had stood in its head.
So a field that somebody on the way decides about, or could, is no trailer: what speaks for the client or says who it
is, what a middleware of the route sets or removes, and what stands in the head already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from doorward.messages.http import Header
from doorward.proxy.field_names import METHOD_OVERRIDES, Kind, kind_of
from doorward.proxy.request import Request


@runtime_checkable
class FieldOwner(Protocol):
    """A middleware that decides about request fields."""

    def owns(self, name: bytes) -> bool:
        """Whether the field ``name`` (lower case) is its to set or to remove."""
        ...


def admitted(trailers: tuple[Header, ...], request: Request, middlewares: Iterable[object]) -> tuple[Header, ...]:
    """Those of ``trailers`` that may follow ``request``, which has passed ``middlewares``."""
    owners = [middleware for middleware in middlewares if isinstance(middleware, FieldOwner)]
    present = {name.lower() for name, _ in request.headers} | METHOD_OVERRIDES
    return tuple(
        (name, value)
        for name, value in trailers
        if kind_of(lower := name.lower()) is Kind.PLAIN
        and lower not in present
        and not any(owner.owns(lower) for owner in owners)
    )
