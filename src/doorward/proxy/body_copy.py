"""A copy of a request's body, taken while it streams to whoever answers: that one never waits for the copy."""

from __future__ import annotations

from dataclasses import dataclass, field

from doorward.messages.http import Header
from doorward.proxy.downstream import BodyReceiver


@dataclass(slots=True)
class Budget:
    """Bytes that all copies of one owner may hold together."""

    left: int

    def take(self, size: int) -> bool:
        """Whether ``size`` bytes more may be held; then they are."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def give_back(self, size: int) -> None:
        self.left += size


@dataclass(slots=True)
class BodyCopy:
    """Collects up to ``limit`` bytes and what ``budget`` has; beyond, it gives up and holds nothing.

    What it holds is given back to the budget by ``release``.
    """

    limit: int
    budget: Budget
    complete: bool = False
    """The whole body is here."""
    _pieces: list[bytes] = field(default_factory=list)
    _size: int = 0
    _given_up: bool = False

    def beside(self, receiver: BodyReceiver) -> BodyReceiver:
        """Someone who takes the body for ``receiver`` and for this copy."""
        return _Both(receiver, self)

    def add(self, data: bytes) -> None:
        size = len(data)
        if self._given_up:
            return
        if self._size + size > self.limit or not self.budget.take(size):
            self._given_up = True
            self.release()
            return
        self._size += size
        self._pieces.append(data)

    def end(self) -> None:
        self.complete = not self._given_up

    def take(self) -> bytes:
        """The body; it counts as held until ``release``."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def release(self) -> None:
        """Give back what is held."""
        self.budget.give_back(self._size)
        self._size = 0
        self._pieces.clear()


@dataclass(slots=True)
class _Both:
    receiver: BodyReceiver
    copy: BodyCopy

    def body_data(self, data: bytes) -> None:
        self.copy.add(data)
        self.receiver.body_data(data)

    def body_trailers(self, trailers: tuple[Header, ...]) -> None:
        self.receiver.body_trailers(trailers)

    def body_ended(self) -> None:
        self.copy.end()
        self.receiver.body_ended()
