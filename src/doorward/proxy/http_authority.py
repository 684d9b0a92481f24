"""An auth server that is asked over HTTP: the ``ForwardAuthority`` for every address but our own outpost's."""

from __future__ import annotations

from dataclasses import replace

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import ForwardAuth
from doorward.net.asking import Asker, Asking, Patience
from doorward.net.client import Client, Origin, TooLarge, Unreachable
from doorward.net.pool import Pool
from doorward.proxy.ports import AuthAnswerTooLarge, AuthServerUnreachable


class HttpAuthority:
    """Asks one auth server. It never follows a redirect and never reads proxy settings (S-124)."""

    def __init__(self, client: Client, middleware: ForwardAuth) -> None:
        """Raises ValueError when the address is no http(s) URL."""
        self._origin = Origin.parse(middleware.address, middleware.tls)
        self._limit = middleware.max_response_body_size
        self._client = client
        self._pool: Pool | None = None

    async def ask(self, question: HttpQuestion) -> HttpAnswer:
        """Raises AuthServerUnreachable, AuthAnswerTooLarge. The time that it may take is the middleware's business."""
        if question.request_id:
            question = replace(question, headers=(*question.headers, (b"X-Request-Id", question.request_id)))
        try:
            return await self._client.fetch(question, self._origin, timeout=None, max_body=self._limit)
        except Unreachable as error:
            raise AuthServerUnreachable(str(error)) from error
        except TooLarge as error:
            raise AuthAnswerTooLarge(str(error)) from error

    def asking(self, method: bytes, message: bytes, asker: Asker, patience: Patience) -> Asking | None:
        """The same by callbacks, for a ``message`` that is ready to be sent and has no body; ``begin`` it. None: this
        auth server cannot be asked like that."""
        pool = self._pool
        if pool is None:
            pool = self._pool = self._client.pool(self._origin)
        else:
            self._client.sweep()
        if not pool.speaks_http1:
            return None
        return Asking(pool, method, message, asker, self._limit, patience)

    def still(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """An answer over HTTP is for one request."""
        return False

    def regards(self, name: bytes) -> bool:
        """Nobody knows."""
        return True
