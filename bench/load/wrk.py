"""Closed-loop load over HTTP/1.1, plain or TLS, by wrk: as many requests as the chain can take."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BROWSER_FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
)
_MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
_BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator saw."""

    requests: int
    seconds: float
    median_ms: float
    p99_ms: float
    failed: int
    """Answers that were no success, and socket errors."""
    bytes_each: float
    """Mean size of an answer, as far as the load generator says."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def browser_fields(host: str, cookie: str) -> list[str]:
    return [f"Host: {host}", *BROWSER_FIELDS, f"Cookie: theme=dark; {cookie}; lang=en"]


def wrk(
    url: str,
    fields: Sequence[str],
    *,
    seconds: float,
    connections: int,
    prefix: tuple[str, ...] = (),
    script: Path | None = None,
) -> Load:
    """Load ``url`` for that long (whole seconds, at least one). Raises RuntimeError for odd output."""
    command = [
        *prefix,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "--timeout",
        "9s",
    ]
    for field in fields:
        command += ["-H", field]
    if script:
        command += ["-s", str(script)]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=False).stdout
    requests, took, size = _found(r"(\d+) requests in ([\d.]+\w+), ([\d.]+\w+) read", said).groups()
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if not int(requests):
        raise RuntimeError(f"wrk got no answer: {said}")
    return Load(
        requests=int(requests),
        seconds=_of(took, _MILLISECONDS) / 1e3,
        median_ms=_of(_found(r"^\s+50%\s+(\S+)", said)[1], _MILLISECONDS),
        p99_ms=_of(_found(r"^\s+99%\s+(\S+)", said)[1], _MILLISECONDS),
        failed=(int(refused[1]) if refused else 0) + sum(map(int, errors.groups() if errors else ())),
        bytes_each=_of(size, _BYTES) / int(requests),
    )


def _found(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text, re.MULTILINE)
    if not match:
        raise RuntimeError(f"wrk said something unexpected: {text}")
    return match


def _of(text: str, units: dict[str, float] | dict[str, int]) -> float:
    match = re.fullmatch(r"([\d.]+)([A-Za-z]+)", text)
    if not match or match[2] not in units:
        raise RuntimeError(f"wrk wrote a number in an unknown unit: {text}")
    return float(match[1]) * units[match[2]]
