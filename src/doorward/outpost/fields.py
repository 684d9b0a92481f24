"""The few header fields that decide anything, picked out of a question in one pass.

Names arrive in any case; the same spellings come again with every request, so what each spelling means is
remembered. A field that may stand only once and stands twice is an ambiguity: it counts as absent and is listed in
``doubled``, so that nobody can be judged by one value while another part of the chain acts on the other.
"""

from __future__ import annotations

from doorward.messages.http import Header

_WANTED = {
    name.encode(): name
    for name in (
        "host", "cookie", "user-agent", "accept", "authorization", "x-requested-with", "upgrade",
        "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site",
        "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri", "x-forwarded-method", "x-forwarded-for",
        "x-original-url", "origin", "access-control-request-method", "content-length", "content-type",
        "transfer-encoding",
    )
}  # fmt: skip
REGARDED = frozenset(_WANTED)
"""Names (lower case) of the fields that are looked at; no other one makes any difference."""
_JOINABLE = frozenset({"accept", "x-forwarded-for"})
_meaning: dict[bytes, str | None] = {}
_MAX_SPELLINGS = 4096


class Fields:
    """The wanted fields of one request."""

    __slots__ = ("_values", "cookies", "doubled")

    def __init__(self, headers: tuple[Header, ...]) -> None:
        values: dict[str, bytes] = {}
        self._values = values
        self.cookies: list[bytes] = []
        self.doubled: set[str] = set()
        for spelling, value in headers:
            try:
                name = _meaning[spelling]
            except KeyError:
                name = _learn(spelling)
            if name is None:
                continue
            if name == "cookie":
                self.cookies.append(value)
            elif name not in values:
                values[name] = value
            elif name in _JOINABLE:
                values[name] += b", " + value
            else:
                self.doubled.add(name)
        for name in self.doubled:
            values.pop(name, None)

    def raw(self, name: str) -> bytes:
        """The field's value, empty when it is absent or stands twice."""
        return self._values.get(name, b"")

    def present(self, name: str) -> bool:
        """Whether the field is there at all, once or twice."""
        return name in self._values or name in self.doubled

    def text(self, name: str) -> str:
        """The same as text, one character a byte (fields are bytes; we compare ASCII)."""
        value = self._values.get(name)
        return "" if value is None else value.decode("latin-1")


def _learn(spelling: bytes) -> str | None:
    name = _WANTED.get(spelling.lower())
    if len(_meaning) < _MAX_SPELLINGS and len(spelling) <= 64:
        _meaning[spelling] = name
    return name
