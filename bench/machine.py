"""What processes cost: CPU time and memory of whole process trees, and where they may run.

CPU comes from ``/proc/PID/task/*/schedstat``, which counts in nanoseconds; where a kernel has no such file, from the
user and system time of ``/proc/PID/stat``, which counts in ticks of usually 10 ms. Memory is the proportional set
size, in which pages that processes share are counted once.
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
from collections.abc import Iterable
from pathlib import Path

from peers.processes import descendants

TICKS = os.sysconf("SC_CLK_TCK")
ONE_CORE = ("taskset", "-c", "0")
"""Everything on one core: no wake-ups across cores, which makes this the steadiest figure of CPU per request."""
FREE: tuple[str, ...] = ()


def tree(roots: Iterable[int]) -> list[int]:
    """These processes and all below them."""
    return [pid for root in roots for pid in (root, *descendants(root))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have spent."""
    return sum(map(_cpu_seconds, pids))


def megabytes(pids: Iterable[int]) -> float:
    """Proportional set size of these processes, in 10^6 bytes."""
    return sum(map(_pss, pids)) / 1e6


def allow_many_connections() -> None:
    """Let this process and all that it starts open as many files as its hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def description() -> dict[str, str]:
    """What figures depend on."""
    cpu = "unknown"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    return {
        "processors": str(os.cpu_count()),
        "model": cpu,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def _cpu_seconds(pid: int) -> float:
    try:
        exact = sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())
        if exact:
            return exact / 1e9
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
