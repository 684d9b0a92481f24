"""What the peer has told about itself (RFC 9113 section 6.5.2)."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.wire.http2.codes import (
    DEFAULT_FRAME,
    DEFAULT_TABLE,
    DEFAULT_WINDOW,
    LARGEST_FRAME,
    MAX_WINDOW,
    ErrorCode,
    Setting,
)
from doorward.wire.http2.errors import ConnectionFault

_UNSAID_STREAMS = 100
"""What section 6.5.2 advises every server to allow; used until it says something else."""


class PeerSettings:
    """The values in force."""

    __slots__ = (
        "connect_protocol",
        "header_list",
        "initial_window",
        "max_frame",
        "max_streams",
        "table",
        "table_shrank",
    )

    def __init__(self) -> None:
        self.max_streams = _UNSAID_STREAMS
        """Streams that the peer lets us open at once."""
        self.initial_window = DEFAULT_WINDOW
        self.max_frame = DEFAULT_FRAME
        """Bytes of payload that the peer takes in one frame."""
        self.header_list: int | None = None
        """Bytes of a list of fields that the peer advises not to exceed; None: it did not say."""
        self.connect_protocol = False
        """The peer takes extended CONNECT (RFC 8441)."""
        self.table = DEFAULT_TABLE
        self.table_shrank = False
        """The peer wants to be told that its table for header compression became smaller (RFC 7541 section 4.2)."""

    def apply(self, parameters: Iterable[tuple[int, int]], from_client: bool) -> int:
        """Take over ``parameters`` in order. By how much every stream's window changes.

        Raises ConnectionFault for a value that must not be (S-910).
        """
        window = self.initial_window
        for key, value in parameters:
            if key == Setting.INITIAL_WINDOW_SIZE:
                if value > MAX_WINDOW:
                    raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "initial_window")
                self.initial_window = value
            elif key == Setting.MAX_FRAME_SIZE:
                if not DEFAULT_FRAME <= value <= LARGEST_FRAME:
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "max_frame")
                self.max_frame = value
            elif key == Setting.MAX_CONCURRENT_STREAMS:
                self.max_streams = value
            elif key == Setting.HEADER_TABLE_SIZE:
                self._resize_table(value)
            elif key == Setting.MAX_HEADER_LIST_SIZE:
                self.header_list = value
            elif key == Setting.ENABLE_PUSH:
                # A server has nothing to allow here: it may only say that it does not (section 6.5.2).
                if value > 1 or (value and not from_client):
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "enable_push")
            elif key == Setting.ENABLE_CONNECT_PROTOCOL:
                # RFC 8441 section 3: once said, it stays said.
                if value > 1 or (self.connect_protocol and not value):
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "connect_protocol")
                self.connect_protocol = bool(value)
        return self.initial_window - window

    def _resize_table(self, size: int) -> None:
        """Our encoder uses no table. All that a peer whose table shrinks must hear is that it is empty, once."""
        if size < self.table:
            self.table = 0
            self.table_shrank = True
