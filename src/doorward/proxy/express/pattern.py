"""What a head has in common with others: its field lines, with blanks where nobody in this program looks at the value.

A browser's heads differ from one another in a few fields that we only pass on: a trace id, a cookie of the
application's, a time. Everything that is decided about a request is decided by the other lines, so two heads with equal
patterns and the same path go the same way, and what comes out differs in the blanks alone.

A pattern is a text in which each line stands as it is, byte for byte. A blank is written as an empty line before the
field's name. No line of a head is empty, so no head can imitate the pattern of another.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum

from doorward.proxy.field_names import Kind, NameTable, kind_of
from doorward.proxy.forwarding import TELLING
from doorward.proxy.middlewares.own_cookies import MARK, is_own_cookie
from doorward.proxy.request_ids import FIELD as REQUEST_ID
from doorward.proxy.request_ids import acceptable
from doorward.wire.http1.limits import Limits

MAX_SIZE = 8192
"""Bytes of a header block; larger ones are not looked at."""
_MAX_NAME = 64
_MOST_FIXED = 1024
"""Lines."""

_value = re.compile(rb"[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)").fullmatch
"""As ``wire/http1/fields.py`` has it."""


class _Role(IntEnum):
    FIXED = 0
    """Belongs to the pattern as it stands."""
    BLANK = 1
    COOKIE = 2
    """Our own cookies belong to the pattern, those of the application are a blank."""
    NAME = 3
    """``X-Request-Id``: a name for the request, if the client may give it one; passed on by no one as it stands."""


_FIXED, _COOKIE, _NAME = _Role.FIXED, _Role.COOKIE, _Role.NAME


class PatternReader:
    """Reads header blocks at one entry point, for one routing table."""

    def __init__(self, regarded: Callable[[bytes], bool], limits: Limits) -> None:
        """``regarded``: whether somebody looks at the field of this name (lower case)."""
        self._roles: NameTable[_Role] = NameTable(lambda name: _role(name, regarded))
        self._fixed: set[bytes] = set()
        """Lines that were found to be fixed: asking for a whole line is cheaper than for its name."""
        self._max_size = min(MAX_SIZE, limits.header, limits.field)
        self._max_fields = limits.fields
        self._max_cookies = limits.cookies

    def read(self, block: bytes) -> tuple[bytes, tuple[bytes, ...], bytes] | None:
        """The pattern of ``block`` (lines without the last line's end), what stands in its blanks, and the name that
        the client gives to the request; None: it has to be read the ordinary way. A block with a known pattern is as
        good as the one that it was learned from."""
        if len(block) > self._max_size or not block:
            return None
        lines = block.split(b"\r\n")
        if len(lines) > self._max_fields:
            return None
        roles = self._roles
        blanks: list[bytes] = []
        cookies = False
        request_id = b""
        fixed = self._fixed
        for index, line in enumerate(lines):
            if line in fixed:
                continue
            name = line.partition(b":")[0]
            if len(name) > _MAX_NAME:
                return None
            role = roles[name]
            if role is _FIXED:
                self._note_fixed(line)
                continue
            match = _value(line, len(name) + 1)
            if match is None or len(name) == len(line):
                return None
            value = match[1]
            if value[-1:] in _SPACE:
                value = value.rstrip(b" \t")
            lines[index] = b"\r\n" + name
            if role is _NAME:
                lines[index] += b"=="
                if not request_id and acceptable(value):
                    request_id = value
                continue
            if role is _COOKIE:
                if cookies or value.count(b";") >= self._max_cookies:
                    return None
                cookies = True
                if MARK in value:
                    own, value = _own_and_rest(value)
                    lines[index] = b"\r\n%b=%b" % (name, own) if value else b"\r\n%b==%b" % (name, own)
                    if not value:
                        continue
            blanks.append(value)
        return b"\r\n".join(lines), tuple(blanks), request_id

    def _note_fixed(self, line: bytes) -> None:
        if len(self._fixed) >= _MOST_FIXED:
            self._fixed.clear()
        self._fixed.add(line)


def blank_names(pattern: bytes) -> list[bytes]:
    """The names of the fields whose values are blanks of ``pattern``, in order."""
    lines = pattern.split(b"\r\n")
    marked = [lines[index + 1] for index, line in enumerate(lines) if not line]
    # Right behind the name, a second sign says that there is none; further on it is a value's own.
    return [name for name, _, rest in (line.partition(b"=") for line in marked) if not rest.startswith(b"=")]


_SPACE = (b" ", b"\t")


_own_cookie = re.compile(rb"(?:^|;)[ \t]*(?:__Host-|__Secure-)?" + MARK + rb"[^;]*").search


def _own_and_rest(value: bytes) -> tuple[bytes, bytes]:
    """Our own cookies, and the others as ``without_own_cookies`` leaves them."""
    match = _own_cookie(value)
    if match is not None and value.count(MARK) == 1:
        start, end = match.span()
        return match[0].lstrip(b"; \t"), (value[:start] + value[end:] if start else value[end + 1 :]).strip(b" \t")
    own: list[bytes] = []
    rest: list[bytes] = []
    for pair in value.split(b";"):
        (own if is_own_cookie(pair.partition(b"=")[0].strip(b" \t")) else rest).append(pair)
    return b";".join(own), b";".join(rest).strip(b" \t")


def _role(name: bytes, regarded: Callable[[bytes], bool]) -> _Role:
    if name == b"cookie":
        return _Role.COOKIE
    if name == REQUEST_ID:
        return _Role.NAME
    return _Role.BLANK if kind_of(name) is Kind.PLAIN and name not in TELLING and not regarded(name) else _Role.FIXED
