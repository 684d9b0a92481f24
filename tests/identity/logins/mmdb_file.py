"""Writes a database in MaxMind's format (version 2.0), as small as one needs it."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_MAPPED = 96
"""Bits before an IPv4 address in the tree."""


def write(path: Path, records: Mapping[str, dict[str, Any]], kind: str = "Test") -> Path:
    """``records``: network to what is said about it."""
    data, offsets = b"", {}
    for network, record in records.items():
        offsets[network] = len(data)
        data += _encoded(record)
    tree: list[list[int | str]] = [[-1, -1]]
    for network in records:
        _plant(tree, network)
    count = len(tree)

    def value(slot: int | str) -> int:
        if isinstance(slot, str):
            return count + 16 + offsets[slot]
        return count if slot < 0 else slot

    nodes = b"".join(value(slot).to_bytes(4, "big") for node in tree for slot in node)
    metadata = {
        "node_count": count,
        "record_size": 32,
        "ip_version": 6,
        "database_type": kind,
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "description": {"en": kind},
        "languages": [],
    }
    path.write_bytes(nodes + bytes(16) + data + _MARKER + _encoded(metadata))
    return path


def _plant(tree: list[list[int | str]], network: str) -> None:
    parsed = ipaddress.ip_network(network)
    number, length = int(parsed.network_address), parsed.prefixlen
    if parsed.version == 4:
        length += _MAPPED
    node = 0
    for depth in range(length):
        bit = number >> (127 - depth) & 1
        if depth == length - 1:
            tree[node][bit] = network
            return
        if tree[node][bit] == -1:
            tree.append([-1, -1])
            tree[node][bit] = len(tree) - 1
        node = int(tree[node][bit])


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _control(2, len(raw)) + raw
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(_encoded(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(_encoded(part) for part in value)
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    raw = int(value).to_bytes(4, "big").lstrip(b"\0")
    return _control(6, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    first = (kind if kind <= 7 else 0) << 5
    extended = bytes([kind - 7]) if kind > 7 else b""
    if size < 29:
        return bytes([first | size]) + extended
    return bytes([first | 29]) + extended + bytes([size - 29])
