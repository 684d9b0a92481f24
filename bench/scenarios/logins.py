"""Whole logins, from the application's first redirect to its page with a session: what one costs, and a crowd."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyotp

from chains.chain import HOST, Chain
from figures import Column, Effort, Scenario, Values, Worthless
from house import House
from login import Visitor
from machine import cpu_seconds, megabytes, tree
from people import PASSWORD
from soft_key import SoftKey

AT_ONCE, PEOPLE = 4, 200


@dataclass
class Town:
    """The people of one program, and what it is reached by."""

    chain: Chain
    seeds: dict[str, str]
    """By name, of those who have an authenticator app; a code of theirs is good once in half a minute."""
    keys: dict[str, SoftKey]
    """By name, of those who have a passkey."""
    hash_ms: float
    """CPU of one Argon2 hash."""
    careful: Iterator[int] = field(default_factory=itertools.count)
    keyed: Iterator[int] = field(default_factory=itertools.count)
    plain: Iterator[int] = field(default_factory=itertools.count)

    def log_in(self, name: str, number: int) -> float:
        """From an address of its own, for so many people do not sit behind one. Seconds it took."""
        seed = self.seeds.get(name)
        address = f"127.0.{number // 250 + 1}.{number % 250 + 1}"
        visitor = Visitor({HOST: self.chain.ports["web"]}, address, patience=120.0)
        begun = time.monotonic()
        code = (lambda: pyotp.TOTP(seed).now()) if seed else None
        visitor.log_in(f"http://{HOST}/seen", name, PASSWORD, code, self.keys.get(name))
        return time.monotonic() - begun


_towns: dict[Chain, Town] = {}


def measure_logins(variant: str, house: House, effort: Effort) -> Values:
    """``AT_ONCE`` people at a time on one core, or a crowd on all of them."""
    town = _town(house.tenant("doorward", free=variant == "crowd").chain)
    pids = tree(town.chain.roots)
    before, weight, begun = cpu_seconds(pids), megabytes(pids), time.monotonic()
    with Scales(pids) as scales:
        times = _crowd(town) if variant == "crowd" else _steadily(town, variant, effort.seconds)
    took, spent = time.monotonic() - begun, cpu_seconds(pids) - before
    cost = spent * 1e3 / len(times)
    return {
        "cpu": cost,
        "argon2": 0.0 if variant == "passkey" else town.hash_ms / cost * 100,
        "rate": len(times) / took,
        "per core": 1e3 / cost,
        "p50": statistics.median(times) * 1e3,
        "p99": sorted(times)[len(times) * 99 // 100] * 1e3,
        "more": scales.most - weight,
        "logins": len(times),
    }


def _steadily(town: Town, variant: str, seconds: float) -> list[float]:
    until = time.monotonic() + 2 * seconds

    def one_after_another(_: int) -> list[float]:
        times: list[float] = []
        while not times or time.monotonic() < until:
            if variant == "password":
                number = next(town.plain) % PEOPLE
                times.append(town.log_in(f"person{number}", number))
            elif variant == "passkey":
                number = next(town.keyed) % PEOPLE
                times.append(town.log_in(f"keyed{number}", number))
            else:
                number = next(town.careful)
                if number >= PEOPLE:
                    raise Worthless("everybody with an authenticator app has logged in")
                times.append(town.log_in(f"careful{number}", number))
        return times

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [each for times in pool.map(one_after_another, range(AT_ONCE)) for each in times]


def _crowd(town: Town) -> list[float]:
    gate = threading.Barrier(PEOPLE)

    def rush(number: int) -> float:
        gate.wait()
        return town.log_in(f"person{number}", number)

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(rush, range(PEOPLE)))


class Scales:
    """Weighs processes ten times in a second; use it as a context manager."""

    def __init__(self, pids: list[int]) -> None:
        self.most = 0.0
        """Megabytes."""
        self._pids = pids
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)

    def __enter__(self) -> Scales:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._done.set()
        self._thread.join()

    def _weigh(self) -> None:
        while not self._done.wait(0.1):
            self.most = max(self.most, megabytes(self._pids))


def _town(chain: Chain) -> Town:
    if chain not in _towns:
        assert chain.data is not None
        environment = {
            **os.environ,
            "DOORWARD_DATA": str(chain.data),
            "DOORWARD_DATABASE": "",
            "DOORWARD_EXTERNAL_URL": f"http://auth.localhost:{chain.ports['decision']}",
        }
        argv = [sys.executable, str(Path(__file__).parents[1] / "people.py"), str(PEOPLE)]
        said = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        if said.returncode:
            raise Worthless(said.stderr[-500:])
        found = json.loads(said.stdout)
        keys = {
            name: SoftKey(kept["credential"], kept["handle"], int(kept["secret"], 16))
            for name, kept in found["keys"].items()
        }
        _towns[chain] = Town(chain, found["seeds"], keys, found["hash_ms"])
    return _towns[chain]


SCENARIOS = (
    Scenario(
        "logins",
        f"Whole logins, from the first redirect to the page ({AT_ONCE} at a time on one core; {PEOPLE} at once on all)",
        ("password", "password+totp", "passkey", "crowd"),
        measure_logins,
        columns=(
            Column("cpu", "CPU ms/login"),
            Column("argon2", "Argon2's share %", 0),
            Column("rate", "logins/s", 1, "more"),
            Column("per core", "logins/s and core", 1, "more"),
            Column("p50", "p50 ms", 0),
            Column("p99", "p99 ms", 0),
            Column("more", "MB more at the most", 0),
        ),
        reference="",
    ),
)
