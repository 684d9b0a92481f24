"""Configuration in, compiled table out, as text to be reviewed: ``golden/<name>.yml`` gives ``golden/<name>.json``.

``DOORWARD_WRITE_GOLDEN=1`` writes the outcome down again; the difference is then read by a person.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from doorward.messages.routing import RoutingTable
from sources.compiling import STATIC, compiled

GOLDEN = Path(__file__).parent / "golden"
REDIRECTING = STATIC.replace(
    'web: {address: ":80"}', 'web: {address: ":80", http: {redirections: {entryPoint: {to: websecure}}}}'
)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yml")), ids=lambda path: path.stem)
def test_table_is_what_was_reviewed(path: Path) -> None:
    """The same configuration makes the same table."""
    static = REDIRECTING if path.stem == "headers" else STATIC
    table = compiled(path.read_text(), static).table
    text = msgspec.json.format(msgspec.json.encode(table), indent=2).decode() + "\n"
    golden = path.with_suffix(".json")
    if os.environ.get("DOORWARD_WRITE_GOLDEN"):
        golden.write_text(text)

    assert text == golden.read_text()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(table), type=RoutingTable) == table
