"""What a client costs the identity provider: token endpoint, introspection and userinfo, beside an empty view in the
same server. Every answer is looked at; one that is no success makes the figure worthless.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from figures import Column, Effort, Scenario, Values, Worthless
from house import House
from machine import cpu_seconds, tree

AT_ONCE, CODES = 4, 20_000
HOST = "auth.localhost"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Host": HOST}
_O = "/application/o"


@dataclass
class Line:
    """One connection of the client, and the refresh token that goes round on it."""

    connection: HTTPConnection
    refresh: str

    def post(self, path: str, **form: str) -> dict[str, Any]:
        self.connection.request("POST", path, urlencode(form), _FORM)
        return self._answer()

    def get(self, path: str, **headers: str) -> dict[str, Any]:
        self.connection.request("GET", path, headers={"Host": HOST, **headers})
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Worthless(f"the answer was {answer.status} {body[:200]!r}")
        said: dict[str, Any] = json.loads(body)
        return said


Ask = Callable[[Line, dict[str, Any], Iterator[str]], bool]


def _client(told: dict[str, Any]) -> dict[str, str]:
    return {"client_id": told["id"], "client_secret": told["secret"]}


def _code(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    form = {"redirect_uri": "https://rp.example.test/cb", "code_verifier": "v" * 64, **_client(told)}
    return "id_token" in line.post(f"{_O}/token/", grant_type="authorization_code", code=next(codes), **form)


def _refresh(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": line.refresh, **_client(told)}
    line.refresh = line.post(f"{_O}/token/", **form)["refresh_token"]
    return True


def _machine(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    return "access_token" in line.post(f"{_O}/token/", grant_type="client_credentials", **_client(told))


def _introspection(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    return bool(line.post(f"{_O}/introspect/", token=told["access"], **_client(told))["active"])


def _userinfo(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    return "akadmin" in line.get(f"{_O}/userinfo/", Authorization=f"Bearer {told['access']}").values()


def _empty(line: Line, told: dict[str, Any], codes: Iterator[str]) -> bool:
    return line.get("/empty/") == {}


ASKED: dict[str, Ask] = {
    "empty view": _empty,
    "code": _code,
    "refresh": _refresh,
    "client credentials": _machine,
    "introspection": _introspection,
    "userinfo": _userinfo,
}


def measure_tokens(variant: str, house: House, effort: Effort) -> Values:
    """``AT_ONCE`` connections of one client for some seconds, at a server that may use one core."""
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (process, told):
        pids, codes, lock = tree([process.pid]), iter(told["codes"]), threading.Lock()

        def locked() -> Iterator[str]:
            while True:
                with lock:
                    code = next(codes, "")
                yield code

        def lines(number: int) -> list[float]:
            line = Line(HTTPConnection("127.0.0.1", told["port"], timeout=60), told["refresh"][number])
            own, times, until = locked(), [], time.monotonic() + effort.seconds
            while time.monotonic() < until:
                begun = time.monotonic()
                if not ASKED[variant](line, told, own):
                    raise Worthless("an answer was not the one that was asked for")
                times.append(time.monotonic() - begun)
            return times

        before, begun = cpu_seconds(pids), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            times = list(itertools.chain.from_iterable(pool.map(lines, range(AT_ONCE))))
        took, spent = time.monotonic() - begun, cpu_seconds(pids) - before
    return {
        "cpu": spent * 1e6 / len(times),
        "per core": len(times) / spent,
        "rate": len(times) / took,
        "p50": statistics.median(times) * 1e3,
        "p99": sorted(times)[len(times) * 99 // 100] * 1e3,
    }


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    environment = {
        **os.environ,
        "DOORWARD_DATA": str(folder),
        "DOORWARD_DATABASE": "",
        "DOORWARD_EXTERNAL_URL": f"http://{HOST}",
    }
    argv = [sys.executable, str(Path(__file__).parents[1] / "token_server.py"), str(CODES)]
    core = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert process.stdin and process.stdout
    try:
        said = process.stdout.readline()
        if not said:
            raise Worthless("the server did not start")
        yield process, json.loads(said)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


SCENARIOS = (
    Scenario(
        "tokens",
        f"Token endpoint, introspection, userinfo ({AT_ONCE} connections, SQLite, the identity provider on one core)",
        tuple(ASKED),
        measure_tokens,
        columns=(
            Column("cpu", "CPU µs/request", 0),
            Column("per core", "requests/s and core", 0, "more"),
            Column("rate", "requests/s", 0, "more"),
            Column("p50", "p50 ms", 1),
            Column("p99", "p99 ms", 1),
        ),
        reference="empty view",
    ),
)
