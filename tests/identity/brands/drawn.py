"""Pictures as small as they can be: a head that says how large they are, and little else."""

from __future__ import annotations

import struct


def png(width: int = 1, height: int = 1, more: bytes = b"") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 6, 0, 0, 0) + more


def gif(width: int = 1, height: int = 1) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"


def jpeg(width: int = 1, height: int = 1) -> bytes:
    """With an application segment before the frame, as cameras write it."""
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC0, 8, 8, height, width, 0)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 4) + b"JF" + b"\xff" + frame + b"\xff\xd9"


def webp(width: int = 1, height: int = 1, kind: bytes = b"VP8X") -> bytes:
    if kind == b"VP8X":
        data = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        data = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        data = bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBP" + kind + struct.pack("<I", len(data)) + data


def ico(*pictures: bytes) -> bytes:
    """Of PNGs; without any, of one bitmap."""
    inside = pictures or (bytes(40),)
    head, start = struct.pack("<HHH", 0, 1, len(inside)), 6 + 16 * len(inside)
    entries, content = b"", b""
    for each in inside:
        entries += struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(each), start + len(content))
        content += each
    return head + entries + content
