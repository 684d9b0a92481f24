"""Nothing that is written breaks out of its line."""

from __future__ import annotations

import pytest

from doorward.wire.http1 import UnsafeField, message_head
from doorward.wire.websocket import FrameBoundary, accept_value, close_frame


def test_a_head_is_written() -> None:
    """Start line, fields, empty line."""
    head = message_head(b"GET / HTTP/1.1", [(b"Host", b"a"), (b"X-T", b"a\tb \xc3\xab")])

    assert head == b"GET / HTTP/1.1\r\nHost: a\r\nX-T: a\tb \xc3\xab\r\n\r\n"


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\x00", b"\r\n", b"\x0b", b"\x7f", b"\x1b"])
def test_control_bytes_are_refused(byte: bytes) -> None:
    """In a value, a name and the start line."""  # S-045 S-113
    for line, name, value in ((b"S", b"A", b"x" + byte + b"y"), (b"S", b"A" + byte, b"x"), (b"S" + byte, b"A", b"x")):
        with pytest.raises(UnsafeField):
            message_head(line, [(name, value)])


@pytest.mark.parametrize("name", [b"", b"A B", b"A:", b"\xc3\xa9"])
def test_names_are_tokens(name: bytes) -> None:
    """A name that is none is refused every time."""
    for _ in range(2):
        with pytest.raises(UnsafeField):
            message_head(b"S", [(name, b"x")])


def test_the_handshake_of_the_rfc() -> None:
    """RFC 6455 section 1.3 has the example."""
    assert accept_value(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_frame_boundaries(size: int) -> None:
    """A close frame fits exactly before and after a frame, whatever its length, in any pieces."""
    if size < 126:
        header = bytes((0x82, size))
    elif size < 65536:
        header = b"\x82\x7e" + size.to_bytes(2, "big")
    else:
        header = b"\x82\x7f" + size.to_bytes(8, "big")
    frame = header + b"x" * size
    boundary = FrameBoundary()

    for start in range(0, len(frame), 1000):
        assert boundary.between is (start == 0)
        boundary.feed(frame[start : start + 1000])
    assert boundary.between
    boundary.feed(close_frame(1008) + b"\x81")
    assert not boundary.between
