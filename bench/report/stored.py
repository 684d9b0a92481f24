"""A run as JSON: everything that the table, the picture and the documentation's page are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from figures import Result
from report.table import table


def document(about: dict[str, str], results: Sequence[Result]) -> dict[str, Any]:
    """Medians, spreads and ratios by scenario and variant, and the single turns they come from."""
    return {"about": about, "scenarios": [_scenario(result) for result in results]}


def write(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _scenario(result: Result) -> dict[str, Any]:
    scenario = result.scenario
    return {
        "name": scenario.name,
        "title": scenario.title,
        "reference": scenario.reference,
        "columns": [{"key": c.key, "title": c.title, "better": c.better} for c in scenario.columns],
        "variants": {
            variant: {
                "medians": {key: result.value(variant, key) for key in turns[0]},
                "times better": {c.key: result.times_better(variant, c) for c in scenario.columns},
                "turns": turns,
            }
            for variant, turns in result.turns.items()
            if variant not in result.worthless
        },
        "thrown away": result.worthless,
        "goals": [
            {
                "variant": goal.variant,
                "column": goal.column,
                "at most": goal.at_most,
                "times": goal.times,
                "found": reached[0],
                "reached": reached[1],
            }
            for goal in scenario.goals
            if (reached := result.reached(goal)) is not None
        ],
        "table": table(result),
    }
