"""Makes the binary message files that the wheel carries; an editable installation gets them in its source tree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path(__file__).parent / "src"


class MessageFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, str(SOURCES))
        from doorward.identity.languages.message_files import compile_stale

        compile_stale(SOURCES / "doorward" / "identity" / "locale")
