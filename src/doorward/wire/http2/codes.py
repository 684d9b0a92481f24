"""The numbers of HTTP/2 (RFC 9113 sections 6, 6.5.2 and 7; RFC 8441)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from doorward.wire.quick_enum import quick


@quick
class ErrorCode(IntEnum):
    """Why a stream or a connection ends (section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


@quick
class Setting(IntEnum):
    """What either side may tell about itself (section 6.5.2)."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6
    ENABLE_CONNECT_PROTOCOL = 0x8


# Frame types: plain numbers, because every frame is looked at through them.
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

# Flags. The same bit means ACK on SETTINGS and PING, END_STREAM on DATA and HEADERS.
ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
HAS_PRIORITY: Final = 0x20

CLIENT_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first (section 3.4)."""
FRAME_HEADER: Final = 9
"""Bytes before a frame's payload (section 4.1)."""
MAX_STREAM_ID: Final = 0x7FFFFFFF
MAX_WINDOW: Final = 0x7FFFFFFF
"""No window may ever be larger (section 6.9.1)."""
DEFAULT_WINDOW: Final = 65535
"""A window's size before anybody said otherwise."""
DEFAULT_TABLE: Final = 4096
"""What either side's table for header compression may hold before anybody said otherwise."""
DEFAULT_FRAME: Final = 16384
"""The largest payload that everybody must take."""
LARGEST_FRAME: Final = 16777215
"""The largest payload that anybody may offer to take."""
