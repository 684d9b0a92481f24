"""``make bench``: what an authenticated request costs, beside real Traefik, nginx and HAProxy, measured in one run.

Machines drift by ten percent and more within minutes, so the chains of a scenario are measured in turns and the
median of the turns counts. Compare rows of one run, never of two.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import machine
from catalogue import SCENARIOS
from figures import Effort, Result, Scenario, Worthless
from house import House
from machine import allow_many_connections
from report import plot, stored
from report.table import goal_text, table


def main() -> None:
    arguments = _arguments()
    wanted = [SCENARIOS[name] for name in arguments.scenarios or SCENARIOS]
    effort = Effort(1, 1, quick=True) if arguments.quick else Effort(3, 2, quick=False)
    effort = dataclasses.replace(
        effort, **{key: value for key in ("turns", "seconds") if (value := getattr(arguments, key))}
    )
    about = machine.description() | {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "turns": f"{effort.turns} of {effort.seconds} s",
    }
    allow_many_connections()
    results: list[Result] = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as folder, _noted(House(Path(folder))) as house:
        for number, scenario in enumerate(wanted, 1):
            _say(f"[{number}/{len(wanted)}, {time.monotonic() - begun:.0f} s] {scenario.name}: {scenario.title}")
            results.append(_run(scenario, house, effort, arguments.chains))
            print("\n" + table(results[-1]) + "\n", flush=True)
            about["took"] = f"{time.monotonic() - begun:.0f} s"
            # After each, so that a run that is cut short leaves what it found.
            _keep(about, results, arguments.output)
    goals = [text for result in results for goal in result.scenario.goals if (text := goal_text(result, goal))]
    missed = [text for text in goals if text.endswith("not reached")]
    print("\n".join([f"{len(goals) - len(missed)} of {len(goals)} goals reached; not:", *missed] if goals else []))
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(f"kept in {arguments.output}/bench.json and bench.svg")
    thrown = [f"{result.scenario.name}/{variant}" for result in results for variant in result.worthless]
    if thrown:
        raise SystemExit(f"thrown away: {', '.join(thrown)}")


@contextlib.contextmanager
def _noted(house: House) -> Iterator[House]:
    """A program that does not end in order is worth a line, and no reason to lose what was measured."""
    try:
        with house:
            yield house
    except AssertionError as fault:
        _say(f"A PROGRAM LEFT TRACES OF A FAILURE: {str(fault)[:2000]}")


def _keep(about: dict[str, str], results: list[Result], folder: Path) -> None:
    document = stored.document(about, results)
    folder.mkdir(parents=True, exist_ok=True)
    stored.write(document, folder / "bench.json")
    (folder / "bench.svg").write_text(plot.svg(document))


def _run(scenario: Scenario, house: House, effort: Effort, only: list[str]) -> Result:
    result = Result(scenario)
    everything = (*scenario.variants, *scenario.optional)
    variants = [each for each in everything if each.partition(" ×")[0] in only] if only else list(scenario.variants)
    for turn in range(1, min(effort.turns, scenario.turns or effort.turns) + 1):
        for variant in variants:
            if variant in result.worthless:
                continue
            begun = time.monotonic()
            try:
                values = scenario.measure(variant, house, effort)
            except (Worthless, RuntimeError, AssertionError, OSError) as failure:
                result.worthless[variant] = str(failure) or type(failure).__name__
                _say(f"    turn {turn}: {variant}: THROWN AWAY: {result.worthless[variant]}")
                continue
            result.turns.setdefault(variant, []).append(values)
            shown = ", ".join(
                f"{column.title} {values[column.key]:,.{column.digits}f}"
                for column in scenario.columns
                if column.key in values
            )
            _say(f"    turn {turn}: {variant:18} {shown}   ({time.monotonic() - begun:.1f} s)")
    return result


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all of them when none is named; see --list")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--quick", action="store_true", help="one turn of one second each")
    parser.add_argument("--chains", type=lambda text: text.split(","), default=[], help="only these, with commas")
    parser.add_argument("--turns", type=int, help="how often each is measured (3)")
    parser.add_argument("--seconds", type=int, help="length of one measurement (2)")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="folder for the results")
    arguments = parser.parse_args()
    if arguments.list:
        for scenario in SCENARIOS.values():
            more = f"; when asked for: {', '.join(scenario.optional)}" if scenario.optional else ""
            print(f"{scenario.name:12} {scenario.title}\n{'':12} {', '.join(scenario.variants)}{more}")
        raise SystemExit
    if unknown := set(arguments.scenarios) - SCENARIOS.keys():
        parser.error(f"unknown scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return arguments


if __name__ == "__main__":
    main()
