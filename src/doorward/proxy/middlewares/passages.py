"""What a request became when it passed, remembered for the next request with the same header block.

A browser sends the same fields with one request after another. When the embedded outpost let the first of them pass,
what is left to ask about the next is whether that session still lives and whether its path is not the outpost's own:
``ForwardAuthority.still``, a dictionary look-up and three comparisons. Everything else, the client's fields without
ours and the identity of the session, comes out the same and is taken from here. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.request import Check, Request

MOST = 4096
"""Header blocks remembered per middleware; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class _Passage:
    block: tuple[Header, ...]
    """Kept, so that no other block can have its identity meanwhile."""
    authority: bytes
    answer: HttpAnswer
    headers: tuple[Header, ...]
    """What goes to the application."""
    session: bytes
    user: str
    credentialed: bool


class Passages:
    def __init__(self) -> None:
        self._by_block: dict[int, _Passage] = {}

    def leads(self, request: Request, block: tuple[Header, ...], authority: ForwardAuthority) -> bool:
        """Let ``request`` pass as the last one with this block did, if it still may. False: ask."""
        passage = self._by_block.get(id(block))
        if passage is None or passage.block is not block or passage.authority != request.authority:
            return False
        if not authority.still(passage.answer, request.path, request.query):
            return False
        request.headers = passage.headers
        request.session = passage.session
        request.user = passage.user
        request.credentialed = passage.credentialed
        return True

    def rehearse(self, request: Request, block: tuple[Header, ...], authority: ForwardAuthority) -> Check | None:
        """The same, and what to ask before the next one may pass like this."""
        if not self.leads(request, block, authority):
            return None
        return partial(authority.still, self._by_block[id(block)].answer)

    def keep(self, request: Request, block: tuple[Header, ...], answer: HttpAnswer) -> None:
        """Remember what ``request`` became when it passed with ``answer``."""
        if not request.session or not isinstance(request.headers, tuple):
            return  # nobody's session: an open path, which is looked at each time
        self._by_block.pop(id(block), None)
        if len(self._by_block) >= MOST:
            del self._by_block[next(iter(self._by_block))]
        self._by_block[id(block)] = _Passage(
            block, request.authority, answer, request.headers, request.session, request.user, request.credentialed
        )
