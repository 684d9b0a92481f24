"""What is installed is what was looked at: every requirement is locked, with hashes, wherever it comes from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normal(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    return {normal(match[0]) for line in requirements if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))}


def locked(file: str) -> dict[str, set[str]]:
    """Exact versions by name; some differ by platform."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;]+)", (REQUIREMENTS / file).read_text(), re.M
    ):
        found.setdefault(normal(name), set()).add(version)
    return found


# S-820
def test_everything_that_the_program_needs_is_locked() -> None:
    """To one version, in what runs, and to the same one in what is tested."""
    core, dev = locked("core.txt"), locked("dev.txt")

    assert named(PROJECT["dependencies"]) <= core.keys()
    for extra in PROJECT["optional-dependencies"].values():
        assert named(extra) <= dev.keys()
    assert core.items() <= dev.items()


# S-820
def test_nothing_is_locked_without_a_hash() -> None:
    """Each requirement stands with the digests of its files, and with nothing that could stand for another place."""
    for path in REQUIREMENTS.glob("*.txt"):
        blocks = re.split(r"\n(?=\S)", path.read_text().strip())
        for block in blocks:
            if block.startswith("#"):
                continue
            head = block.split("\n", 1)[0]
            assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==[^ ]+", head), (path.name, head)
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), (path.name, head)
            assert " @ " not in head, (path.name, head)


# S-820
def test_nothing_is_installed_without_its_hash() -> None:
    """Wherever make installs from a list, hashes are required; the project itself comes without dependencies."""
    recipes = re.sub(r"\\\n", " ", (ROOT / "Makefile").read_text())
    installs = [line for line in recipes.splitlines() if re.search(r"pip (install|sync)\b", line)]

    assert installs
    for line in installs:
        for part in re.split(r"&&|;", line):
            if re.search(r"pip (install|sync)\b", part):
                assert "--require-hashes" in part or "--no-deps" in part, part
