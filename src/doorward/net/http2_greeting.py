"""Whether a server speaks HTTP/2 at all: nobody asks it anything before it has shown that."""

from __future__ import annotations

import asyncio

from doorward.net.upstream import CannotConnect


class Greeting:
    """What a server begins with."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self) -> None:
        """Until it has come. Raises CannotConnect when it never will."""
        await self._done

    def came(self) -> None:
        """It may be said again."""
        if not self._done.done():
            self._done.set_result(None)

    def failed(self, why: str) -> None:
        """It will not come any more, if it has not come."""
        if not self._done.done():
            self._done.set_exception(CannotConnect(f"the server does not speak HTTP/2: {why}"))
            self._done.exception()  # whoever dialled may have given up: then nobody minds

    def ended(self, error: Exception | None) -> None:
        """The connection is gone."""
        said = isinstance(error, OSError) and error.strerror
        self.failed(said or "it closed the connection")
