"""A block of header fields: bytes to (name, value) pairs, or the precise reason why not.

Speed and strictness do not fight here. One regular expression yields every well-formed line of the block; each
match starts at a line's first byte and ends with its CRLF and contains no other line end, so the block is good
exactly when there are as many matches as line feeds. Only a bad block is looked at line by line, to name what is
wrong with it.
"""

from __future__ import annotations

import re

from doorward.messages.http import Header
from doorward.wire.http1.errors import WireError

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
is_token = re.compile(TOKEN + rb"+").fullmatch
has_control = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
"""Any control byte but HTAB (RFC 9110 section 5.5, S-012)."""

# Possessive quantifiers (++, *+) never give back what they took: linear time on any input.
_lines = re.compile(rb"(?m:^)(" + TOKEN + rb"++):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)\r\n").findall


def parse_fields(block: bytes) -> list[Header]:
    """The fields of ``block``: lines that each end in CRLF, without the empty line that ends a header section.

    Values lose surrounding spaces and tabs, and nothing else. Raises WireError with the reason.
    """
    headers: list[Header] = _lines(block)
    if len(headers) != block.count(b"\n") or (block and not block.endswith(b"\r\n")):
        raise WireError(_fault(block))
    if b" \r" in block or b"\t\r" in block:
        return [(name, value.rstrip(b" \t")) for name, value in headers]
    return headers


def line_end_fault(data: bytes | bytearray) -> str | None:
    """``bare_lf`` or ``bare_cr`` if ``data`` holds one that is not part of CRLF; a CR at the very end may still be."""
    crlf = data.count(b"\r\n")
    if data.count(b"\n") != crlf:
        return "bare_lf"
    if data.count(b"\r") - data.endswith(b"\r") != crlf:
        return "bare_cr"
    return None


def _fault(block: bytes) -> str:
    for line in block.removesuffix(b"\r\n").split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            return "obs_fold"
        if b"\n" in line:
            return "bare_lf"
        if b"\r" in line:
            return "bare_cr"
        if not colon:
            return "header_line"
        if is_token(name) is None:
            return "header_name"
        if has_control(value) is not None:
            return "header_value"
    return "header_line"
