"""The client's side of one exchange, whatever protocol it speaks: the seam beside which HTTP/2 can be put."""

from __future__ import annotations

from typing import Protocol

from doorward.messages.http import Header
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.write import BlockMemory


class BodyReceiver(Protocol):
    """Whoever takes the request's body."""

    def body_data(self, data: bytes) -> None:
        """The next part; never empty."""

    def body_trailers(self, trailers: tuple[Header, ...]) -> None:
        """Fields after the body, as the client sent them; ``body_ended`` follows at once. Mostly there are none."""

    def body_ended(self) -> None:
        """The body is complete. Not called if the client goes away before."""


class TunnelEnd(Protocol):
    """Whoever takes raw bytes after the connection stopped being HTTP."""

    def client_data(self, data: bytes) -> None: ...

    def client_full(self) -> None:
        """The client takes no more for now."""

    def client_ready(self) -> None: ...

    def stop(self) -> None:
        """The worker stops: end it politely."""

    def sweep(self, now: float) -> None:
        """About once a second, with the monotonic time."""


class Downstream(Protocol):
    """One request's connection to its client."""

    head: RequestHead
    forwarded: BlockMemory
    """What was last sent on for this client."""

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        """Pass on an interim (1xx) response."""

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        """Begin the final response. ``length`` is the body's; None: unknown. Raises UnsafeField, and then nothing
        was sent."""

    def send(self, data: bytes) -> None:
        """The next part of the body."""

    def flush(self) -> None:
        """Nothing more comes for the moment: let out what was gathered."""

    def trail(self, trailers: tuple[Header, ...]) -> None:
        """Put fields after the body, if the client takes such; ``finish`` follows at once."""

    def finish(self) -> None:
        """The response is complete."""

    def abort(self) -> None:
        """Cut the response so that the client notices (it has been started)."""

    def want_body(self, receiver: BodyReceiver) -> None:
        """From now on the request's body goes to ``receiver``."""

    def let_body_rest(self) -> None:
        """The body may pause for as long as a WebSocket may: it is one half of a conversation."""

    def invite_body(self) -> None:
        """Send ``100 Continue`` if the client waits for it: nobody behind us will."""

    def hold_body(self) -> None:
        """``receiver`` cannot take more for now."""

    def release_body(self) -> None: ...

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        """Answer 101 and stop being HTTP. Returns what the client sent after its request. Raises UnsafeField."""
        ...

    def tunnel_send(self, data: bytes) -> None: ...

    def tunnel_close(self) -> None:
        """Close after what was sent has gone out."""

    def tunnel_hold(self) -> None:
        """Read no more from the client for now."""

    def tunnel_release(self) -> None: ...
