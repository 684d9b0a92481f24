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


class Spot:
    """A line of a block of which the value does not belong to the pattern, or not all of it."""

    __slots__ = ("own", "place", "role", "start")

    def __init__(self, role: _Role, start: bytes, place: int, own: bytes | None) -> None:
        self.role = role
        self.start = start
        """The name as it stands there, with its colon."""
        self.place = place
        """Which of the blanks it is; -1: none."""
        self.own = own
        """Our own cookies in it; None: there are none."""


class Sketch:
    """A block as it was read: its pattern, and what stands in the blanks."""

    __slots__ = ("blanks", "lines", "pattern", "request_id", "spots")

    def __init__(
        self,
        lines: list[bytes],
        spots: list[Spot | None],
        pattern: bytes,
        blanks: tuple[bytes, ...],
        request_id: bytes,
    ) -> None:
        self.lines = lines
        """As they came."""
        self.spots = spots
        """Of each line; None for one that is fixed."""
        self.pattern = pattern
        self.blanks = blanks
        self.request_id = request_id
        """What the client calls the request, if that can be a name; else empty."""

    def filled(self, lines: list[bytes], most_cookies: int) -> tuple[tuple[bytes, ...], bytes] | None:
        """``lines`` are those of a whole message. If its block is this one but for the blanks: what stands in those,
        and the name that its client gives it. None: it has to be read."""
        own_lines, spots = self.lines, self.spots
        if len(lines) != len(own_lines) + 3 or lines[-1] or lines[-2]:
            return None
        blanks: list[bytes] | None = None
        request_id = self.request_id
        for index, line in enumerate(own_lines):
            other = lines[index + 1]
            if line == other:
                continue
            spot = spots[index]
            if spot is None or not other.startswith(spot.start):
                return None
            value = _value_of(other, len(spot.start))
            if value is None:
                return None
            if spot.role is _NAME:
                request_id = value if acceptable(value) else b""
                continue
            if spot.role is _COOKIE:
                if value.count(b";") >= most_cookies:
                    return None
                if not spot.own:
                    # Here our mark stood somewhere else than in a cookie's name, or nowhere.
                    if spot.own is not None or MARK in value:
                        return None
                else:
                    value = _rest_beside(spot.own, value)
                    if value is None or bool(value) is (spot.place < 0):
                        return None
            if spot.place >= 0:
                if blanks is None:
                    blanks = list(self.blanks)
                blanks[spot.place] = value
        return self.blanks if blanks is None else tuple(blanks), request_id


class PatternReader:
    """Reads header blocks at one entry point, for one routing table."""

    def __init__(self, regarded: Callable[[bytes], bool], limits: Limits) -> None:
        """``regarded``: whether somebody looks at the field of this name (lower case)."""
        self._roles: NameTable[_Role] = NameTable(lambda name: _role(name, regarded))
        self._fixed: set[bytes] = set()
        """Lines that were found to be fixed: asking for a whole line is cheaper than for its name."""
        self.max_size = min(MAX_SIZE, limits.header, limits.field)
        self._max_fields = limits.fields
        self.max_cookies = limits.cookies

    def read(self, block: bytes) -> Sketch | None:
        """``block`` (lines without the last line's end) by its pattern; None: it has to be read the ordinary way. A
        block with a known pattern is as good as the one that it was learned from."""
        if len(block) > self.max_size or not block:
            return None
        lines = block.split(b"\r\n")
        if len(lines) > self._max_fields:
            return None
        drawn = lines.copy()
        spots: list[Spot | None] = []
        blanks: list[bytes] = []
        cookies = named = False
        request_id = b""
        fixed = self._fixed
        for index, line in enumerate(lines):
            if line in fixed:
                spots.append(None)
                continue
            name = line.partition(b":")[0]
            if len(name) > _MAX_NAME:
                return None
            role = self._roles[name]
            if role is _FIXED:
                self._note_fixed(line)
                spots.append(None)
                continue
            value = _value_of(line, len(name) + 1)
            if value is None or len(name) == len(line):
                return None
            drawn[index] = b"\r\n" + name
            own: bytes | None = None
            has_blank = True
            if role is _NAME:
                if named:
                    return None
                named = True
                drawn[index] += b"=="
                has_blank = False
                if acceptable(value):
                    request_id = value
            elif role is _COOKIE:
                if cookies or value.count(b";") >= self.max_cookies:
                    return None
                cookies = True
                if MARK in value:
                    own, value = _own_and_rest(value)
                    has_blank = bool(value)
                    drawn[index] = b"\r\n%b=%b" % (name, own) if value else b"\r\n%b==%b" % (name, own)
            spots.append(Spot(role, name + b":", len(blanks) if has_blank else -1, own))
            if has_blank:
                blanks.append(value)
        return Sketch(lines, spots, b"\r\n".join(drawn), tuple(blanks), request_id)

    def _note_fixed(self, line: bytes) -> None:
        if len(self._fixed) >= _MOST_FIXED:
            self._fixed.clear()
        self._fixed.add(line)


def _value_of(line: bytes, start: int) -> bytes | None:
    """The value in ``line``, from behind the colon; None: it has no business in a field."""
    match = _value(line, start)
    if match is None:
        return None
    value: bytes = match[1]
    return value.rstrip(b" \t") if value[-1:] in _SPACE else value


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


def _rest_beside(own: bytes, value: bytes) -> bytes | None:
    """What stands in ``value`` beside ``own``, if that is all that is ours in it; None: it is not."""
    start = value.find(own)
    if start < 0:
        return None
    end = start + len(own)
    if value.count(MARK) == 1 and value[end : end + 1] in _ENDS:
        # As ``_own_and_rest`` has it, where nothing has to be searched for.
        if start == 0:
            return value[end + 1 :].strip(b" \t")
        if start > 2 and value[start - 2 : start] == b"; ":
            return (value[: start - 2] + value[end:]).strip(b" \t")
    found, rest = _own_and_rest(value)
    return rest if found == own else None


_ENDS = (b"", b";")


def _role(name: bytes, regarded: Callable[[bytes], bool]) -> _Role:
    if name == b"cookie":
        return _Role.COOKIE
    if name == REQUEST_ID:
        return _Role.NAME
    return _Role.BLANK if kind_of(name) is Kind.PLAIN and name not in TELLING and not regarded(name) else _Role.FIXED
