"""``encodedCharacters``: refuse paths with escapes that applications read in different ways.

Also what ``http.encodedCharacters`` of an entry point becomes, in front of the middlewares of each of its routers.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.messages.routing import EncodedCharacters
from doorward.proxy.request import Check, Request, ResponseHead

_REFUSED = HttpAnswer(400)


class EncodedCharactersMiddleware:
    """Runs one ``encodedCharacters``."""

    steady = True

    def __init__(self, middleware: EncodedCharacters) -> None:
        self._denied = tuple(escape.upper().encode("ascii") for escape in middleware.denied)

    def enter(self, request: Request) -> HttpAnswer | None:
        """An empty 400, or on. In a canonical path every escape is in capitals."""
        path = request.path
        if b"%" in path and any(escape in path for escape in self._denied):
            return _REFUSED
        return None

    def regards(self, name: bytes) -> bool:
        """See ``SteadyMiddleware``: a path is all that it looks at."""
        return False

    def rehearse(self, request: Request) -> Check | None:
        """See ``SteadyMiddleware``."""
        return lambda path, query: b"%" not in path

    def leave(self, request: Request, response: ResponseHead) -> None:
        """Nothing to do on the way out."""
