"""What a question is answered with."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and, where the question has an answer to give, the MessagePack form of it."""

    status: int
    body: bytes = b""

    @classmethod
    def of(cls, struct: msgspec.Struct) -> Answer:
        """200 with ``struct``."""
        return cls(200, msgspec.msgpack.encode(struct))


DONE = Answer(204)
NOT_FOUND = Answer(404)
USED = Answer(409)
"""This login state was redeemed before."""
GONE = Answer(410)
"""The login, the user or the access right is gone by now."""
