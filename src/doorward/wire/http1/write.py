"""Message heads to bytes: the only place that writes a header field (S-045, S-113).

The last line of defence against response splitting: whatever a middleware, an auth server or a configuration put
into a field, no line end and no other control byte gets out.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.fields import is_token

_HARMLESS = bytes([9, *range(32, 127), *range(128, 256)])
_MAX_KNOWN_NAMES = 4096
_known_names: set[bytes] = set()
"""Names that were found to be tokens; asking a set is cheaper than asking the grammar again."""


def message_head(start_line: bytes, headers: Iterable[Header]) -> bytes:
    """The start line, the fields and the empty line. Raises UnsafeField."""
    lines = [start_line]
    for name, value in headers:
        if name not in _known_names:
            _learn(name)
        lines.append(name + b": " + value)
    head = b"\r\n".join(lines)
    # Deleting every harmless byte must leave exactly the line ends that stand between the lines.
    if head.translate(None, _HARMLESS) != b"\r\n" * (len(lines) - 1):
        raise UnsafeField("control")
    return head + b"\r\n\r\n"


def _learn(name: bytes) -> None:
    if is_token(name) is None:
        raise UnsafeField("header_name")
    if len(_known_names) >= _MAX_KNOWN_NAMES:
        _known_names.clear()
    _known_names.add(name)
