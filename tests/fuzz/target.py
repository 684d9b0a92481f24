"""What is fuzzed, and the loop that does it."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from fuzz.mutation import mutated


@dataclass(frozen=True, slots=True)
class Target:
    """One core."""

    name: str
    seeds: tuple[bytes, ...]
    """Inputs that mean something; what was ever found stays among them."""
    words: tuple[bytes, ...]
    """What its language consists of."""
    check: Callable[[bytes, Random], None]
    """Feeds it an input in all ways. Raises when it did what it must not."""


def run(target: Target, seed: int, rounds: int) -> None:
    """The seeds, then ``rounds`` inputs, the same every time. Raises what ``check`` raises, with the input named."""
    random = Random(seed)
    for data in target.seeds:
        _try(target, data, random)
    for _ in range(rounds):
        _try(target, mutated(target.seeds, target.words, random), random)


def _try(target: Target, data: bytes, random: Random) -> None:
    try:
        target.check(data, random)
    except BaseException as error:
        error.add_note(f"input of {target.name}: {data[:600]!r}{' …' if len(data) > 600 else ''} ({len(data)} bytes)")
        raise


def main(targets: Sequence[Target], arguments: Sequence[str] | None = None) -> int:
    """Fuzz until told to stop. Returns 1 when something was found; it lies in a file then."""
    parser = argparse.ArgumentParser(prog="fuzz", description=main.__doc__)
    parser.add_argument("targets", nargs="*", help=f"of: {', '.join(target.name for target in targets)}")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long in all; 0 for ever")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    asked = parser.parse_args(arguments)
    chosen = [target for target in targets if not asked.targets or target.name.startswith(tuple(asked.targets))]
    if not chosen:
        parser.error("there is no such target")
    return _fuzz(chosen, asked.seed, asked.seconds)


def _fuzz(targets: Sequence[Target], seed: int, seconds: float) -> int:
    random = Random(seed)
    begun = said = time.monotonic()
    print(f"seed {seed}; {', '.join(target.name for target in targets)}", flush=True)
    for tried in count():
        now = time.monotonic()
        if seconds and now - begun > seconds:
            print(f"{tried} inputs, nothing found")
            return 0
        if now - said > 10:
            said = now
            print(f"{tried} inputs", flush=True)
        target = targets[tried % len(targets)]
        data = mutated(target.seeds, target.words, random)
        try:
            target.check(data, random)
        except Exception:
            traceback.print_exc()
            path = Path(tempfile.gettempdir()) / f"{target.name}-{hashlib.sha256(data).hexdigest()[:12]}.bin"
            path.write_bytes(data)
            print(f"{target.name}: input kept in {path}", file=sys.stderr)
            return 1
    return 0
