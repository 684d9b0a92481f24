"""Adds up what the workers count, and writes it in Prometheus' text format.

Workers send differences once a second, so the sums survive a worker's death; gauges are kept per worker and leave
with it. Series come as they are written (``name{label="value"}``).
"""

from __future__ import annotations

from collections import defaultdict

from doorward.messages.control import Counters


class MetricsSum:
    def __init__(self) -> None:
        self._counters: defaultdict[str, float] = defaultdict(float)
        self._gauges: dict[int, dict[str, float]] = {}

    def add(self, worker: int, counted: Counters) -> None:
        for series, difference in counted.counters.items():
            self._counters[series] += difference
        self._gauges[worker] = counted.gauges

    def count(self, series: str) -> None:
        self._counters[series] += 1

    def gone(self, worker: int) -> None:
        self._gauges.pop(worker, None)

    def text(self) -> bytes:
        gauges: defaultdict[str, float] = defaultdict(float)
        for of_one in self._gauges.values():
            for series, value in of_one.items():
                gauges[series] += value
        return (_section(self._counters, "counter") + _section(gauges, "gauge")).encode()


def _section(series: dict[str, float], kind: str) -> str:
    lines: list[str] = []
    family = ""
    for name in sorted(series):
        metric = name.partition("{")[0]
        is_part = metric.endswith(("_bucket", "_sum", "_count"))
        base = metric.rsplit("_", 1)[0] if is_part else metric
        if base != family:
            family = base
            lines.append(f"# TYPE {base} {'histogram' if is_part else kind}\n")
        value = series[name]
        lines.append(f"{name} {int(value) if value == int(value) else value}\n")
    return "".join(lines)
