"""What a yes says, and what becomes of the client's fields by it: those that are the auth server's to set are replaced,
never added to (S-110)."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable, Sequence

from doorward.messages.http import Header
from doorward.proxy.field_names import NameTable
from doorward.proxy.middlewares.field_roles import (
    AUTHORIZATION,
    CONSUMED,
    COOKIE,
    NOTED,
    OTHER_IDENTITY,
    SESSION,
    TAKEN,
    UID,
    USERNAME,
)
from doorward.proxy.middlewares.own_cookies import without_own_cookies


class AuthPass:
    """The fields of one yes, sorted."""

    __slots__ = ("_dropped", "_seen", "_session", "taken")

    def __init__(self, headers: Iterable[Header], roles: NameTable[int]) -> None:
        self.taken: list[Header] = []
        """What the application gets of it."""
        self._seen = 0
        self._session = b""
        self._dropped = TAKEN
        for header in headers:
            role = roles[header[0]]
            self._seen |= role
            if role & TAKEN:
                self.taken.append(header)
            elif role & SESSION:
                self._session = header[1]
            elif role & CONSUMED and header[1].lower() == b"authorization":
                self._dropped |= AUTHORIZATION

    @property
    def is_noted(self) -> bool:
        """It has something for the log, or for the client."""
        return bool(self._seen & NOTED)

    @property
    def is_program(self) -> bool:
        """It is a yes to somebody with a credential."""
        return bool(self._dropped & AUTHORIZATION)

    def session(self) -> bytes | None:
        """Whose proxy session this is, empty for nobody's. None when our own outpost says who it is only in part
        (S-302)."""
        seen = self._seen
        if seen & (USERNAME | UID | OTHER_IDENTITY) and not (seen & USERNAME and seen & UID):
            return None
        try:
            return unhexlify(self._session)
        except ValueError:
            return None

    def applied(self, headers: Sequence[Header], roles: NameTable[int], *, guards_cookies: bool) -> tuple[Header, ...]:
        """What becomes of the client's ``headers``; ``guards_cookies``: our own session cookies end here (S-125)."""
        dropped = self._dropped
        kept: list[Header] = []
        for header in headers:
            role = roles[header[0]]
            if role & dropped:
                continue  # never the client's, even where the answer has none; nor what has been used up
            if role & COOKIE and guards_cookies:
                rest = without_own_cookies(header)
                if rest is None:
                    continue
                header = rest
            kept.append(header)
        return (*kept, *self.taken)
