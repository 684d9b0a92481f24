"""How a gRPC call ended, for the metrics (``contracts/proxy.md`` section 13.1): HTTP's status is 200 in any case."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header

UNKNOWN = 2
_CODES = {b"%d" % code: code for code in range(17)}


def grpc_status(fields: Iterable[Header]) -> int | None:
    """The code that ``fields`` (a head, or trailers) state, ``UNKNOWN`` for one that does not exist; None: they state
    none. A server may invent codes; they must not become memory."""
    for name, value in fields:
        if name.lower() == b"grpc-status":
            return _CODES.get(value, UNKNOWN)
    return None
