"""A run as a picture: for every scenario one bar per chain, as long as what it costs beside the reference."""

from __future__ import annotations

from html import escape
from typing import Any

_WIDTH, _LEFT, _BAR, _GAP, _HEAD = 860, 170, 16, 4, 30
_COLOURS = {"doorward": "#0f766e", "traefik": "#b45309"}
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2937 } .head { font-weight: 600 } .ground { fill: #fff }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb } .ground { fill: #111827 } }
"""


def svg(document: dict[str, Any]) -> str:
    """The first column of every scenario that has one for more than one variant."""
    parts: list[str] = []
    y = 12
    for scenario in document["scenarios"]:
        column = scenario["columns"][0]
        rows = {name: each["medians"].get(column["key"]) for name, each in scenario["variants"].items()}
        found = {name: value for name, value in rows.items() if value}
        if not found:
            continue
        parts.append(_text(12, y + 16, f"{scenario['title']}: {column['title']}", "head"))
        y += _HEAD
        for name, value in found.items():
            parts += _bar(y, name, value, max(found.values()))
            y += _BAR + _GAP
        y += 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'aria-label="What each chain costs, by scenario">\n<style>{_STYLE}</style>\n'
        f'<rect class="ground" width="{_WIDTH}" height="{y}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(y: int, name: str, value: float, longest: float) -> list[str]:
    length = max(1.0, value / longest * (_WIDTH - _LEFT - 90))
    colour = next((colour for start, colour in _COLOURS.items() if name.startswith(start)), "#64748b")
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return [
        _text(_LEFT - 8, y + 12, name, "", "end"),
        f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
        _text(_LEFT + length + 6, y + 12, f"{value:,.{digits}f}"),
    ]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
