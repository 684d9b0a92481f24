"""The house rules that a machine can keep."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import reference

ROOT = Path(__file__).parents[2]
HEAVY = ("django", "rest_framework", "pydantic", "yaml", "lark", "watchfiles", "click", "rich", "structlog")


def test_the_rooms_import_downwards_only() -> None:
    """The layers that the design draws are the layers of the code."""
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


def test_no_registry_host_is_written_down() -> None:
    """Locked requirements carry hashes and no addresses: every site uses the registry that it has."""
    for path in (ROOT / "requirements").iterdir():
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", path.read_text()), path


# S-820: what is installed is what was looked at
def test_every_locked_package_has_a_hash() -> None:
    """A package whose content changes is not installed."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        pinned = re.findall(r"^[a-zA-Z0-9][^\n]*==", text, re.MULTILINE)
        assert pinned
        assert len(re.findall(r"== ?[^\n]*\\\n    --hash=sha256:", text)) == len(pinned), path


def worker_modules() -> list[str]:
    """Every module that a worker may carry."""
    rooms = ("proxy", "outpost", "net", "wire", "messages", "tokens", "observe")
    source = ROOT / "src"
    files = [file for room in rooms for file in (source / "doorward" / room).rglob("*.py")]
    files.append(source / "doorward" / "assembly" / "worker_process.py")
    return sorted(".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__") for file in files)


def test_a_worker_carries_nothing_that_it_does_not_need() -> None:
    """Small, and little to attack: after importing all that a worker runs, none of the big libraries is there."""
    program = "\n".join(
        [
            *(f"import {module}" for module in worker_modules()),
            "import sys",
            f"print([name for name in {HEAVY!r} if name in sys.modules])",
        ]
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stderr
    assert said.stdout.strip() == "[]"


def test_a_module_says_why_it_exists() -> None:
    """Every module that holds code opens with a sentence."""
    silent = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "src").rglob("*.py")
        if "migrations" not in file.parts
        and file.name != "apps.py"
        and file.read_text().strip()
        and not file.read_text().startswith('"""')
    ]

    assert silent == []


def test_a_test_is_a_sentence() -> None:
    """Every test states in one sentence what a user relies on."""
    silent = []
    for file in (ROOT / "tests").rglob("test_*.py"):
        for name, following in re.findall(
            r"^ *(?:async )?def (test_\w+)\(.*?\)[^:]*:\n *(\S+)", file.read_text(), re.MULTILINE | re.DOTALL
        ):
            if not following.startswith(('"""', 'r"""')):
                silent.append(f"{file.relative_to(ROOT)}: {name}")

    assert silent == []


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_lists_the_options_that_exist(page: str) -> None:
    """What the manual promises is what the decoder takes: ``make docs`` writes the tables anew."""
    assert (reference.REFERENCE / page).read_text() == reference.page(page)


@pytest.mark.parametrize("page", ["index.md", "start.md", "life-of-a-request.md", "glossary.md", "deviations.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """A link to a file of this repository that does not exist is a broken promise."""
    path = ROOT / "docs" / page
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_readme_links_lead_somewhere() -> None:
    """The same for the first page that anybody reads."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_the_life_of_a_request_names_functions_that_exist() -> None:
    """The page stays true: every ``room/file.py`` and ``name()`` it mentions is in the code."""
    text = (ROOT / "docs" / "life-of-a-request.md").read_text()
    source = ROOT / "src" / "doorward"
    files = re.findall(r"`([a-z_0-9]+/[a-z_0-9/]+\.py)`", text)
    assert files
    for file in files:
        assert (source / file).exists(), file
    code = "\n".join(file.read_text() for file in source.rglob("*.py"))
    for name in re.findall(r"`(\w+)\(\)`", text):
        assert re.search(rf"\b(def|class) {name}\b", code), name
