"""Closed-loop load over HTTP/2 with TLS, by h2load: a fixed number of requests, so that what is charged is exact."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from load.wrk import Load


def h2load(
    host: str,
    port: int,
    fields: Sequence[str],
    *,
    requests: int,
    connections: int,
    streams: int,
    prefix: tuple[str, ...] = (),
) -> Load:
    """Send that many requests, ``streams`` at once on each connection. Raises RuntimeError for odd output."""
    with tempfile.NamedTemporaryFile(prefix="h2load-") as log:
        command = [*prefix, "h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-n{requests}"]
        command += [f"--connect-to=127.0.0.1:{port}", f"--log-file={log.name}"]
        for field in fields:
            name, _, value = field.partition(": ")
            if name != "Host":
                command += ["-H", f"{name.lower()}: {value}"]
        command.append(f"https://{host}/")
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        times = sorted(int(line.split(b"\t")[2]) for line in Path(log.name).read_bytes().splitlines())
    if "Application protocol: h2" not in said:
        raise RuntimeError(f"h2load did not speak HTTP/2: {said[-1500:]}")
    seconds = _number(r"finished in ([\d.]+)(us|ms|s)", said)
    succeeded = int(_number(r"status codes: (\d+)() 2xx", said))
    data = _data(said)
    return Load(
        requests=requests,
        seconds=seconds,
        median_ms=times[len(times) // 2] / 1e3,
        p99_ms=times[len(times) * 99 // 100] / 1e3,
        failed=requests - succeeded,
        bytes_each=data / requests,
    )


_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0}


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if not match:
        raise RuntimeError(f"h2load said something unexpected: {text[-1500:]}")
    return float(match[1]) * _UNITS[match[2]]


def _data(text: str) -> int:
    """Bytes of bodies, which h2load writes in parentheses."""
    match = re.search(r"traffic: .*, [\d.]+\w+ \((\d+)\) data", text)
    if not match:
        raise RuntimeError(f"h2load said something unexpected: {text[-1500:]}")
    return int(match[1])
