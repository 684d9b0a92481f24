"""The request line that nearly every request has: GET, a path that is canonical as it stands, HTTP/1.1.

A path without escapes, dot segments, doubled slashes and parameters has one spelling and one reading, so whoever meets
such a line need not ask ``parse_target`` what it means. Every other line is not wrong, only not plain.
"""

from __future__ import annotations

import re

MAX_LINE = 2048
"""Bytes; longer lines are not looked at."""

_plain = re.compile(
    rb"GET ((/[A-Za-z0-9_~!$&'()*+,=:@./-]*+)(?:\?([\x21\x22\x24-\x5b\x5d-\x7e]*+))?+) HTTP/1\.1\r\n"
).match


def plain_line(data: bytes) -> re.Match[bytes] | None:
    """The request line at the start of ``data``, if it is plain. Groups: target, path, query or None."""
    match = _plain(data, 0, MAX_LINE)
    if match is None:
        return None
    path = match[2]
    return None if b"//" in path or b"/." in path else match
