"""What the page about services shows can be pasted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sources.compiling import compiled

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "services.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_works(example: str) -> None:
    """Each is taken as it stands, and every service in it can be named by a router."""
    services = re.split(r"^  (?:serversTransports|middlewares):", example, flags=re.MULTILINE)[0]
    names = re.findall(r"^    (\S+?):", services, re.MULTILINE)
    routers = "".join(f"    {name}: {{rule: 'Host(`{name}.test`)', service: {name}}}\n" for name in names)

    result = compiled(example.replace("http:\n", f"http:\n  routers:\n{routers}", 1))

    assert names
    assert result.broken == ()
    assert {f"{name}@file" for name in names} <= result.table.services.keys()
