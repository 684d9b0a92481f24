"""What an exchange and the services behind it ask of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from doorward.proxy.account import Account
    from doorward.proxy.exchange import Exchange
    from doorward.proxy.request import ResponseHead


class Service(Protocol):
    """Whatever answers a request that was let through."""

    name: str

    def serve(self, exchange: Exchange) -> None:
        """Answer by ``exchange.respond`` or ``exchange.answer`` or ``exchange.fail``, now or later."""


class ServiceRun(Protocol):
    """A service at work on one exchange."""

    def client_full(self) -> None:
        """The client takes no more of the response for now."""

    def client_ready(self) -> None: ...

    def client_gone(self) -> None:
        """Nobody is there to be answered any more."""

    def session_ended(self) -> None:
        """The proxy session that let this request pass has ended: cut what is open."""


class Watcher(Protocol):
    """A service that looks at how an exchange is answered, whoever does it for it."""

    def responding(self, response: ResponseHead) -> bool:
        """Before any middleware sees ``response``: change it, or return False to keep it from the client, having
        seen to another answer."""
        ...

    def ended(self, complete: bool) -> None:
        """The exchange is over; ``complete``: its response was sent to the end."""


class Series(Protocol):
    """A part of a ledger, for exchanges that are alike."""

    def add(self, target: bytes, started_at: float, seconds: float, sent: int) -> None:
        """Another one, for ``target``, which began at ``started_at`` (Unix seconds), took ``seconds``, and sent a body
        of that many bytes."""


class Ledger(Protocol):
    """Where accounts of finished exchanges go. An account may be used again for the next exchange."""

    wants_headers: bool
    """The header fields of requests and responses are looked at, too."""

    def record(self, account: Account) -> None: ...

    def series(self, account: Account) -> Series | None:
        """Where exchanges are entered that differ from ``account`` in target, times, name and size alone; None when
        each needs an account of its own. ``account`` itself is not entered by that, nor kept."""
        ...
