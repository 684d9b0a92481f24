"""The configurations that the how-to pages tell people to use, taken from those very pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def from_page(page: str, language: str, changes: Mapping[str, str]) -> str:
    """The first block in ``language`` of ``page``, with every key of ``changes``, which it must hold, replaced."""
    block = re.search(rf"^```{language}\n(.*?)^```$", (HOW_TO / page).read_text(), re.DOTALL | re.MULTILINE)
    assert block, f"{page} shows no {language}"
    text = block[1]
    for written, here in changes.items():
        assert written in text, f"{page} does not say {written!r}"
        text = text.replace(written, here)
    return text
