"""How long a first start takes, from the command to ready, and what the whole tree weighs then.

Run alone (``python bench/start.py``) or with the rest (``make bench``): five fresh state folders, one after another.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTS = 5


def main() -> None:
    seconds, megabytes = [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="doorward-start-") as folder:
            took, weighs = one_start(Path(folder))
        seconds.append(took)
        megabytes.append(weighs)
    print(f"cold start to ready: median {statistics.median(seconds):.2f} s of {STARTS} (target 5 s)")
    print(f"whole tree, idle:    median {statistics.median(megabytes):.0f} MB PSS (target 120 MB)")


def one_start(folder: Path) -> tuple[float, float]:
    """Seconds until the demo says that it is ready, and its weight two seconds later."""
    doorward = Path(sys.executable).with_name("doorward")
    ports = ["--http-port=18180", "--https-port=18543", "--identity-port=19100"]
    begun = time.monotonic()
    program = subprocess.Popen(
        [str(doorward), "demo", "--json", f"--data={folder / 'data'}", *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert program.stdout is not None
    program.stdout.readline()
    took = time.monotonic() - begun
    time.sleep(2)
    weighs = sum(pss(pid) for pid in tree(program.pid)) / 1000
    program.terminate()
    program.wait(30)
    return took, weighs


def tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def pss(pid: int) -> int:
    """Kilobytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
