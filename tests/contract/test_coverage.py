"""Which operations of the official client these tests drive: none that we offer may be missing."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest

from contract.test_factors import KINDS
from contract.test_login_objects import STAGES

TOOL = Path(__file__).parents[2] / "docs" / "tools" / "api_coverage.py"
ROOMS = (
    "authenticators",
    "core",
    "providers",
    "outposts",
    "flows",
    "managed",
    "stages",
    "policies",
    "propertymappings",
    "crypto",
    "events",
    "rbac",
)
CLASSES = (*ROOMS, "admin", "root")
DRIVEN_ELSEWHERE = {
    "flows_executor_get": "the executor answers challenges; tests of the flows drive it",
    "flows_executor_solve": "the client's HTTP stack sends the POST again after a 302",
}


def driven() -> set[str]:
    """Names of operations called in this folder, written out or composed for a kind of stage or of factor."""
    names = set()
    kinds = tuple(kind for kind, *_ in STAGES)
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "call" and node.args:
                operation = getattr(node.args[0], "value", "")
                names |= {f"stages_{kind}_{operation}" for kind in kinds}
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "of_kind" and node.args:
                operation = getattr(node.args[0], "value", "")
                names |= {f"authenticators_{kind}_{operation}" for kind in KINDS}
                names |= {f"authenticators_admin_{kind}_{operation}" for kind in KINDS}
    return names


def offered(official: ModuleType) -> set[str]:
    """Operations that are both in our description and in the client."""
    from doorward.identity.api.openapi import description

    paths = description()["paths"].values()
    ours = {operation["operationId"] for path in paths for operation in path.values()}
    theirs = {
        name
        for room in CLASSES
        for name, _ in inspect.getmembers(getattr(official, f"{room.capitalize()}Api"), inspect.isfunction)
    }
    return ours & theirs


def test_every_operation_that_we_offer_is_driven(official: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of what the official client can do here."""
    operations = offered(official)
    missing = operations - driven() - DRIVEN_ELSEWHERE.keys()
    with capsys.disabled():
        print(f"\n{len(operations)} operations of the official client are offered and driven:")
        for room in CLASSES:
            print(f"  {room}: {sum(name.startswith(room + '_') for name in operations)}")

    assert not missing
    assert len(operations) > 150


def test_the_page_about_coverage_promises_nothing_that_is_not_there(official: ModuleType) -> None:
    """What it lists as answered is; regenerate it with docs/tools/api_coverage.py when something has gone."""
    from doorward.identity.api.openapi import description

    spec = importlib.util.spec_from_file_location("api_coverage", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules["api_coverage"] = tool
    spec.loader.exec_module(tool)
    now = tool.rows(official, description())
    promised = tool.promised(tool.PAGE.read_text())

    assert len(promised) > 80
    assert {
        resource: verbs - set(now[resource].covered)
        for resource, verbs in promised.items()
        if verbs - set(now[resource].covered)
    } == {}
