"""Load and cost: what wrk saw, and the CPU time that a set of processes spent meanwhile.

CPU is the growth of user and system time in ``/proc/PID/stat``, over every process of a chain, divided by the
requests answered: microseconds per request. The kernel counts in ticks (usually 10 ms), so a run lasts seconds.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peers.processes import descendants

TICKS = os.sysconf("SC_CLK_TCK")
BROWSER_HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
)
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    refused: int
    """Answers that were neither 2xx nor 3xx, and socket errors."""


@dataclass(frozen=True, slots=True)
class Measurement:
    load: Load
    microseconds: float
    """CPU per request over all processes of the chain."""
    megabytes: float
    """Proportional set size of the chain after the run."""


def measure(
    url: str, host: str, cookie: str, chain: Sequence[int], *, seconds: int, connections: int, pinned: bool
) -> Measurement:
    """Load ``url`` and charge what it costs to the processes in ``chain`` and all below them."""
    _wrk(url, host, cookie, 1, connections, pinned)  # warm-up: connections, caches, lazily made things
    pids = [pid for root in chain for pid in (root, *descendants(root))]
    before = sum(map(_cpu_seconds, pids))
    load = _wrk(url, host, cookie, seconds, connections, pinned)
    spent = sum(map(_cpu_seconds, pids)) - before
    return Measurement(load, spent * 1e6 / max(1, load.requests), sum(map(_pss_megabytes, pids)))


def _wrk(url: str, host: str, cookie: str, seconds: int, connections: int, pinned: bool) -> Load:
    command = ["taskset", "-c", "0"] if pinned else []
    command += ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "5s"]
    for header in (f"Host: {host}", *BROWSER_HEADERS, f"Cookie: theme=dark; {cookie}; lang=en"):
        command += ["-H", header]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    return Load(
        requests=int(_found(r"(\d+) requests in", said)),
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        median_ms=_milliseconds(_found(r"^\s+50%\s+(\S+)", said)),
        p99_ms=_milliseconds(_found(r"^\s+99%\s+(\S+)", said)),
        refused=int(_found(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
        + sum(map(int, errors.groups() if errors else ())),
    )


def _found(pattern: str, text: str, otherwise: str | None = None) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match:
        return match[1]
    if otherwise is None:
        raise RuntimeError(f"wrk said something unexpected: {text}")
    return otherwise


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _pss_megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
