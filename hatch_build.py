"""Makes the binary message files that the wheel carries; an editable installation gets them in its source tree.

With ``DOORWARD_COMPILED=1`` in the environment the wheel also carries the hot modules compiled, and is for this version
of Python on this kind of machine only (``compile_hot.py``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
SOURCES = ROOT / "src"
COMPILED = ROOT / "build" / "compiled"


class MessageFiles(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, str(SOURCES))
        from doorward.identity.languages.message_files import compile_stale

        compile_stale(SOURCES / "doorward" / "identity" / "locale")
        if self._compiles:
            sys.path.insert(0, str(ROOT))
            import compile_hot

            for module in compile_hot.compile_into(COMPILED):
                build_data["force_include"][str(module)] = str(module.relative_to(COMPILED))
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def dependencies(self) -> list[str]:
        if not self._compiles:
            return []
        sys.path.insert(0, str(ROOT))
        import compile_hot

        return list(compile_hot.REQUIRED)

    @property
    def _compiles(self) -> bool:
        return self.target_name == "wheel" and bool(os.environ.get("DOORWARD_COMPILED"))
