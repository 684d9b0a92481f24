"""The request line that nearly every request has: GET, a path that is canonical as it stands, HTTP/1.1.

A path without escapes, dot segments, doubled slashes and parameters has one spelling and one reading, so whoever meets
such a line need not ask ``parse_target`` what it means. Every other line is not wrong, only not plain.
"""

from __future__ import annotations

import re

MAX_LINE = 2048
"""Bytes; longer lines are not looked at."""

_TARGET = rb"(/[A-Za-z0-9_~!$&'()*+,=:@./-]*+)(?:\?([\x21\x22\x24-\x5b\x5d-\x7e]*+))?+"
_line = re.compile(rb"GET (" + _TARGET + rb") HTTP/1\.1\r\n").match
_target = re.compile(_TARGET).fullmatch


def plain_line(data: bytes) -> re.Match[bytes] | None:
    """The request line at the start of ``data``, if it is plain. Groups: target, path, query or None."""
    match = _line(data, 0, MAX_LINE)
    if match is None:
        return None
    path = match[2]
    return None if b"//" in path or b"/." in path else match


def plain_target(target: bytes) -> re.Match[bytes] | None:
    """``target``, if it is plain. Groups: path, query or None."""
    match = _target(target, 0, MAX_LINE) if len(target) < MAX_LINE else None
    if match is None:
        return None
    path = match[1]
    return None if b"//" in path or b"/." in path else match
