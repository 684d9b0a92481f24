"""Bytes that wait to be written, in order."""

from __future__ import annotations

from doorward.wire.http2.codes import ErrorCode
from doorward.wire.http2.errors import ConnectionFault


class Output(list[bytes]):
    """Append what is to be sent; ``take`` joins all of it for one write."""

    __slots__ = ("_answers", "_most_answers")

    def __init__(self, most_answers: int) -> None:
        super().__init__()
        self._answers = 0
        self._most_answers = most_answers

    def answer(self, frame: bytes) -> None:
        """Append what the peer made us say. A peer that asks and does not read is cut off (CVE-2019-9512).

        Raises ConnectionFault.
        """
        self.append(frame)
        self._answers += 1
        if self._answers > self._most_answers:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "answers")

    def take(self) -> bytes:
        self._answers = 0
        if len(self) == 1:
            return self.pop()
        data = b"".join(self)
        self.clear()
        return data
