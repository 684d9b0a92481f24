"""Puts the figures of a run into the manual: ``python bench/page.py [FOLDER]``, by default those of the last one.

What stands between ``<!-- run -->`` and ``<!-- /run -->`` in ``docs/performance.md`` is replaced, and the picture
beside it. So the page shows what one run found, whole, and nothing that was typed by hand.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
BEGIN, END = "<!-- run -->", "<!-- /run -->"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
    document = json.loads((folder / "bench.json").read_text())
    PAGE.write_text(with_run(PAGE.read_text(), document))
    shutil.copyfile(folder / "bench.svg", DOCS / "performance.svg")


def with_run(page: str, document: dict[str, Any]) -> str:
    """The page with the figures of ``document`` in their place."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{_figures(document)}\n\n{END}{rest.partition(END)[2]}"


def _figures(document: dict[str, Any]) -> str:
    about = document["about"]
    machine = (
        f"Run of {about['at']}: {about['processors']} processors ({about['model']}), Linux {about['kernel']}, "
        f"Python {about['python']}, turns: {about['turns']}; load average of the machine before it began: "
        f"{about['load before']}. In parentheses: how many times better than the reference."
    )
    picture = "![What each chain costs, by scenario](performance.svg)"
    return "\n\n".join([machine, picture, *(scenario["table"] for scenario in document["scenarios"])])


if __name__ == "__main__":
    main()
