"""How large a picture says that it is, read from its head without decoding it (S-614).

A few bytes can claim a picture of gigabytes, which every browser that shows it would have to hold. So width and height
are looked at before it is kept; a picture whose head does not say them is none.
"""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the frame header, which holds the size (ITU T.81, table B.1)."""
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that nothing belongs to."""
Size = tuple[int, int]


def size_of(content: bytes) -> Size | None:
    """Width and height in pixels; the largest, of several pictures in one. None: it does not say."""
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"GIF8"):
            return _gif(content)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content.startswith(b"RIFF"):
            return _webp(content)
        if content.startswith(b"\x00\x00\x01\x00"):
            return _ico(content)
    except (struct.error, IndexError):
        pass
    return None


def _png(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> Size:
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _jpeg(content: bytes) -> Size | None:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a filler
            at += 1
        elif marker in _JPEG_ALONE:
            at += 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None


def _webp(content: bytes) -> Size | None:
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L" and content[20] == 0x2F:
        bits = struct.unpack_from("<I", content, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _ico(content: bytes) -> Size | None:
    """Each of its pictures is a bitmap of at most 256 pixels, or a PNG that says its size itself."""
    sizes: list[Size] = []
    for number in range(struct.unpack_from("<H", content, 4)[0]):
        entry = 6 + 16 * number
        width, height = content[entry] or 256, content[entry + 1] or 256
        start = struct.unpack_from("<I", content, entry + 12)[0]
        if content[start : start + 8] == _PNG:
            inner = _png(content[start:])
            if inner is None:
                return None
            width, height = inner
        sizes.append((width, height))
    if not sizes:
        return None
    return max(width for width, _ in sizes), max(height for _, height in sizes)
