"""``make bench``: CPU per authenticated request, beside real Traefik and nginx, measured in one run.

Machines drift by ten percent and more within minutes, so chains are measured in turns, every process fresh for each
turn, and the median of the turns counts. Compare rows of one table, never of two.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
from pathlib import Path

from chains import CHAINS, application
from measure import Measurement, measure
from peers.processes import eventually
from peers.questions import ask


def main() -> None:
    arguments = _arguments()
    prefix = ("taskset", "-c", "0") if arguments.pinned else ()
    results: dict[str, list[Measurement]] = {name: [] for name in arguments.chains}
    for turn in range(1, arguments.turns + 1):
        for name in arguments.chains:
            with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder:
                measurement = _turn(name, Path(folder), prefix, arguments)
            results[name].append(measurement)
            print(f"turn {turn}: {name:18} {measurement.microseconds:7.1f} µs/request", flush=True)
    print(_table(results, arguments))


def _turn(name: str, folder: Path, prefix: tuple[str, ...], arguments: argparse.Namespace) -> Measurement:
    with application(folder, prefix) as upstream, CHAINS[name](folder, prefix, upstream) as chain:
        headers = [("Host", chain.host), ("Cookie", chain.cookie)]
        eventually(lambda: ask(chain.url, headers=headers).status == 200, what=f"{name} lets the request pass")
        measurement = measure(
            chain.url,
            chain.host,
            chain.cookie,
            chain.pids,
            seconds=arguments.seconds,
            connections=arguments.connections,
            pinned=arguments.pinned,
        )
    if measurement.load.refused:
        raise SystemExit(f"{name}: {measurement.load.refused} answers were no success; the figure would mean nothing")
    return measurement


def _table(results: dict[str, list[Measurement]], arguments: argparse.Namespace) -> str:
    where = "all on one core" if arguments.pinned else "unpinned"
    lines = [
        "",
        f"HTTP/1.1 keep-alive, {arguments.connections} connections, {where}, {arguments.turns} turns of "
        f"{arguments.seconds} s, Python {platform.python_version()}",
        "",
        "| chain (proxy + auth server) | CPU µs/request | ± | requests/s | p50 ms | p99 ms | memory MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, turns in results.items():
        costs = [turn.microseconds for turn in turns]
        loads = [turn.load for turn in turns]
        lines.append(
            f"| {name} | {statistics.median(costs):.1f} | {(max(costs) - min(costs)) / 2:.1f} "
            f"| {statistics.median(load.per_second for load in loads):.0f} "
            f"| {statistics.median(load.median_ms for load in loads):.2f} "
            f"| {statistics.median(load.p99_ms for load in loads):.2f} "
            f"| {statistics.median(turn.megabytes for turn in turns):.0f} |"
        )
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chains", nargs="*", default=list(CHAINS), metavar="CHAIN", help=", ".join(CHAINS))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="length of one turn")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--unpinned", dest="pinned", action="store_false", help="let processes use every core")
    arguments = parser.parse_args()
    if unknown := set(arguments.chains) - CHAINS.keys():
        parser.error(f"unknown chain {', '.join(sorted(unknown))}; there are {', '.join(CHAINS)}")
    return arguments


if __name__ == "__main__":
    main()
