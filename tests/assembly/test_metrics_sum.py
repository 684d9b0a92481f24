"""Metrics of all workers as one text."""

from __future__ import annotations

from doorward.assembly.metrics_sum import MetricsSum
from doorward.messages.control import Counters


def test_counters_outlive_their_worker_and_gauges_do_not() -> None:
    """A restarted worker makes no counter fall, and its old connections are not counted as open."""
    metrics = MetricsSum()
    metrics.add(1, Counters({'requests_total{code="200"}': 2}, {"open_connections": 3}))
    metrics.add(2, Counters({'requests_total{code="200"}': 5}, {"open_connections": 1}))

    metrics.gone(1)

    text = metrics.text().decode()
    assert 'requests_total{code="200"} 7\n' in text
    assert "open_connections 1\n" in text


def test_a_histogram_is_declared_once_by_its_base_name() -> None:
    """What Prometheus reads is well-formed: one TYPE line, then the parts of the histogram."""
    metrics = MetricsSum()
    metrics.add(1, Counters({'d_bucket{le="0.1"}': 1, "d_count": 1, "d_sum": 0.05}, {}))

    assert metrics.text().decode() == ('# TYPE d histogram\nd_bucket{le="0.1"} 1\nd_count 1\nd_sum 0.05\n')
