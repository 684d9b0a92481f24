"""A service as a part of another one."""

from __future__ import annotations

from typing import Protocol

from doorward.proxy.exchange import Exchange


class Part(Protocol):
    name: str

    @property
    def up(self) -> bool:
        """Somebody behind it may be asked, as far as is known."""
        ...

    def serve(self, exchange: Exchange) -> None: ...


def hand_over(exchange: Exchange, part: Part) -> None:
    """Let ``part`` answer; log and metrics name the service that did."""
    exchange.account.service = part.name
    part.serve(exchange)
