"""gRPC's health protocol in the little that is needed of it (``grpc.health.v1.Health/Check``): two messages, written
and read by hand.

    HealthCheckRequest  { string service = 1; }        HealthCheckResponse { ServingStatus status = 1; }

A message is preceded by five bytes: whether it is compressed, and its length.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer, HttpQuestion

PATH = b"/grpc.health.v1.Health/Check"
QUESTION = b"\x00\x00\x00\x00\x00"
"""About the server as a whole: an empty message. gRPC's own clients ask the same by default."""
_SERVING = 1
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_NOT_IMPLEMENTED = b"12"


def complaint(answer: HttpAnswer) -> str:
    """Why the server that answered so is not healthy; empty when it is."""
    if answer.status != 200:
        return f"it answered {answer.status}"
    fields = {name.lower(): value for name, value in answer.headers}
    code = fields.get(b"grpc-status", b"0")
    if code == _NOT_IMPLEMENTED:
        return "it has no health service (grpc.health.v1.Health)"
    if code != b"0":
        return f"it answered grpc-status {code.decode('ascii', 'replace')[:20]}"
    status = _serving_status(answer.body)
    if status is None:
        return "its answer is no gRPC message"
    if status == _SERVING:
        return ""
    return f"it is {_STATUSES[status] if status < len(_STATUSES) else status}"


def _serving_status(body: bytes) -> int | None:
    """Field 1 of the one message in ``body``; a field that is not there is 0. None: that is no such message."""
    if len(body) < 5 or body[0] != 0 or int.from_bytes(body[1:5], "big") != len(body) - 5:
        return None
    status, position = 0, 5
    while position < len(body):
        key, position = _varint(body, position)
        kind = key & 7
        if kind == 0:
            value, position = _varint(body, position)
            if key >> 3 == 1:
                status = value
        elif kind == 2:
            size, position = _varint(body, position)
            position += size
        else:
            position += {1: 8, 5: 4}.get(kind, len(body) + 1)
    return status if position == len(body) else None


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends; beyond the end if it is cut."""
    value = shift = 0
    while position < len(body) and shift < 70:
        byte = body[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    return 0, len(body) + 1


def question(host: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> HttpQuestion:
    """What a server is asked; ``headers`` are an operator's."""
    own = {name.lower() for name, _ in headers}
    fixed = ((b"Host", host), (b"Content-Type", b"application/grpc"), (b"User-Agent", b"Doorward"))
    return HttpQuestion(b"POST", PATH, (*(field for field in fixed if field[0].lower() not in own), *headers), QUESTION)
