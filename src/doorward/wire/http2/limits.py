"""How much of anything an HTTP/2 peer may send us; the defaults are section 3 of the security contract.

What is common to all versions of HTTP (a field, the number of fields, cookies, the request line) is in
``doorward.wire.http1.limits``.
"""

from __future__ import annotations

from dataclasses import dataclass

from doorward.wire.http2.codes import DEFAULT_FRAME, DEFAULT_TABLE, DEFAULT_WINDOW, LARGEST_FRAME, MAX_WINDOW


@dataclass(frozen=True, slots=True)
class Http2Limits:
    """All in bytes unless the name says otherwise."""

    streams: int = 100
    """Streams that a client may have open at once; over it: REFUSED_STREAM. RFC 9113 section 6.5.2 advises 100."""
    stream_window: int = 65536
    """What a peer may send on a stream before somebody took it."""
    connection_window: int = 1 << 20
    """The same for all streams of a connection together."""
    frame: int = 16384
    """Largest frame payload; over it: FRAME_SIZE_ERROR."""
    table: int = 4096
    """What a peer may make us remember for header compression."""
    header_list: int = 65536
    """A list of fields as RFC 9113 section 6.5.2 counts it, 32 for each field included; over it: 431, over twice as
    much: ENHANCE_YOUR_CALM."""
    header_block: int = 65536
    """A compressed list of fields in all its frames; over it: ENHANCE_YOUR_CALM (S-906)."""
    continuations: int = 8
    """CONTINUATION frames after one HEADERS frame; over it: ENHANCE_YOUR_CALM (S-906)."""
    trailers: int = 8192
    """Trailer fields together; over it: the stream is reset."""
    reset_burst: int = 1000
    """Streams that may end by a reset, whoever sends it, at once; over it: ENHANCE_YOUR_CALM (S-904, S-905)."""
    reset_rate: float = 33.0
    """Resets per second beyond the burst."""
    oddity_burst: int = 1000
    """Frames that do nothing for any request (SETTINGS, PRIORITY, empty ones, pings and window updates that no data of
    ours calls for, unknown types) at once; over it: ENHANCE_YOUR_CALM (S-907)."""
    oddity_rate: float = 33.0
    """The same per second beyond the burst."""
    answers: int = 1000
    """Control frames that wait to be taken because the peer does not read; over it: ENHANCE_YOUR_CALM."""
    settings: int = 32
    """Parameters in one SETTINGS frame (CVE-2020-11080); over it: ENHANCE_YOUR_CALM."""
    stall: float = 60.0
    """Seconds that data may wait for a window without a byte taken; over it: the stream is reset (S-909)."""
    interim: int = 16
    """Responses with a 1xx status before the final one that a server may send."""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be less than a peer may assume before it has heard of our settings."""
        if min(self.stream_window, self.connection_window) < DEFAULT_WINDOW:
            raise ValueError(f"a window cannot be smaller than {DEFAULT_WINDOW}")
        if max(self.stream_window, self.connection_window) > MAX_WINDOW:
            raise ValueError(f"a window cannot be larger than {MAX_WINDOW}")
        if not DEFAULT_FRAME <= self.frame <= LARGEST_FRAME:
            raise ValueError(f"the largest frame must be between {DEFAULT_FRAME} and {LARGEST_FRAME}")
        if self.table < DEFAULT_TABLE:
            raise ValueError(f"the table cannot be smaller than {DEFAULT_TABLE}")


DEFAULT_LIMITS = Http2Limits()
