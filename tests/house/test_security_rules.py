"""What a reviewer can grep for (section 5.6 of the security contract), read from the syntax tree instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "doorward"
PARSERS = ("wire", "proxy", "net", "outpost", "tokens", "whoami")
"""Rooms that read what peers send."""
CHECKED = re.compile(
    r"isdigit\(|fullmatch\(|\bmatch\[|_digits\(|_is_status\(|_number\(|_DIGITS|int\.from_bytes|is_integer\("
)
"""What stands before ``int()`` sees a byte that came from outside."""
NOT_FROM_OUTSIDE = re.compile(
    r"now|time|expires|seconds|moment|validity|getsockname|max_age|is_integer|line\.split|monotonic|float"
)
RULE_COMPILERS = {"config/patterns.py", "outpost/linear_pattern.py"}
LEDGER = "outpost/standalone/ledger.py"
TRIGGERS = "identity/remembered/triggers.py"
SECRETS = re.compile(r"(^|_)(secret|password|mac|csrf|verifier|token|key_hash|digest)$")
NETWORK = {"requests", "httpx", "httpx2", "aiohttp", "urllib3", "urllib.request", "http.client", "ftplib", "telnetlib"}
NEVER = {"pickle", "marshal", "shelve", "xml.etree", "xml.etree.ElementTree", "xml.dom", "xml.sax", "dill"}


def modules(*rooms: str) -> Iterator[tuple[str, ast.Module, str]]:
    """Name, tree and text of every module, or of those in ``rooms``."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        if "migrations" in path.parts or (rooms and name.split("/")[0] not in rooms):
            continue
        text = path.read_text()
        yield name, ast.parse(text), text


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called, as far as it has one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_bytes_from_outside_become_numbers_after_a_look_at_their_digits() -> None:
    """``int()`` takes ``+5``, ``5_0`` and Arabic digits: in a parser something stricter stands before it."""
    # S-005
    unchecked = []
    for name, tree, _ in modules(*PARSERS):
        for function in functions(tree):
            for called, call in calls(function):
                if called != "int" or not call.args or isinstance(call.args[0], ast.Constant):
                    continue
                argument = ast.unparse(call.args[0])
                if not NOT_FROM_OUTSIDE.search(argument) and not CHECKED.search(ast.unparse(function)):
                    unchecked.append(f"{name}:{call.lineno} int({argument})")
    assert unchecked == []


def test_expressions_out_of_a_configuration_have_one_compiler() -> None:
    """A pattern that is not written in the code is compiled where its running time is judged, and nowhere else."""
    # S-212, S-210
    wild = []
    for name, tree, _ in modules():
        if name in RULE_COMPILERS:
            continue
        for called, call in calls(tree):
            if not re.fullmatch(r"re\.(compile|match|search|fullmatch|sub|subn|findall|finditer|split)", called):
                continue
            pattern = call.args[0]
            parts = [node for node in ast.walk(pattern) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)]
            constant = all(
                ast.unparse(node).rpartition(".")[2].isupper() or "escape" in ast.unparse(node) for node in parts
            )
            if parts and not constant and "re.escape(" not in ast.unparse(pattern):
                wild.append(f"{name}:{call.lineno} {ast.unparse(pattern)}")
    assert wild == []


def test_secrets_are_compared_in_constant_time() -> None:
    """No ``==`` between two things one of which is a secret by its name."""
    # S-814
    found = []
    for name, tree, _ in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                continue
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue
            names = [re.split(r"[.\[(]", ast.unparse(side).rstrip("])"))[-1] for side in sides]
            if any(SECRETS.search(text) for text in names):  # constants, in capitals, are words and lengths
                found.append(f"{name}:{node.lineno} {ast.unparse(node)}")
    # The form's own step is a place, not a proof; the token beside it is Django's to compare.
    assert [line for line in found if "step_token" not in line] == []


def test_nobody_calls_out_but_our_own_client() -> None:
    """One client, which follows no redirect and ignores the environment's proxies, makes every request."""
    # S-124, S-650
    for name, tree, _ in modules():
        assert not imported(tree) & NETWORK, name


def test_dangerous_tools_are_not_in_the_house() -> None:
    """No code from data, no shell, no XML, no loader that makes objects."""
    # S-819
    for name, tree, _ in modules():
        assert not imported(tree) & NEVER, name
        for called, call in calls(tree):
            assert called not in {"eval", "exec", "os.system", "os.popen", "tempfile.mktemp"}, f"{name}:{call.lineno}"
            assert called not in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"} or any(
                "Safe" in ast.unparse(keyword.value) or "Loader" in ast.unparse(keyword.value)
                for keyword in (*call.keywords, *(ast.keyword("", argument) for argument in call.args[1:]))
            ), f"{name}:{call.lineno}"
            for keyword in call.keywords:
                shell = keyword.arg == "shell" and ast.unparse(keyword.value) != "False"
                assert not shell, f"{name}:{call.lineno}"


def test_sql_is_never_put_together() -> None:
    """What is executed as SQL is a constant; values are bound. The ledger's two methods hand on what they are given:
    their callers are looked at. The names of our own tables, which triggers need, cannot be bound."""
    # S-607
    for name, tree, _ in modules():
        for called, call in calls(tree):
            if re.search(r"(cursor|connection\w*|database)\.(execute|executemany|executescript)$", called):
                handed_on = name == TRIGGERS or (name == LEDGER and ast.unparse(call.args[0]) == "statement")
                assert handed_on or isinstance(call.args[0], ast.Constant), f"{name}:{call.lineno}"
            if re.search(r"(self|ledger)\.(rows|change)$", called) and name.startswith("outpost/standalone/"):
                assert isinstance(call.args[0], ast.Constant), f"{name}:{call.lineno}"
            assert not called.endswith((".extra", "RawSQL")), f"{name}:{call.lineno}"
            if called.endswith("objects.raw"):
                assert isinstance(call.args[0], ast.Constant), f"{name}:{call.lineno}"


def test_header_fields_are_written_by_the_checked_writer_only() -> None:
    """Nobody but ``wire`` puts a field name, a colon and a value into bytes that go to a socket."""
    # S-045
    for name, _, text in modules("proxy", "net", "outpost", "assembly"):
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"(write|send|sendall)\(\s*(f|b|rb|bf|fb)?[\"'](HTTP/|[A-Za-z-]+: )", line):
                assert line.strip() == r'self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")', (
                    f"{name}:{number} {line}"
                )


def test_what_must_not_be_guessed_is_not_drawn_by_a_guessable_generator() -> None:
    """``random`` chooses servers and nothing else."""
    # S-813
    users = {name for name, tree, _ in modules() if "random" in imported(tree)}
    assert all(name.startswith("proxy/services/") for name in users), users


def test_every_case_of_the_catalogue_that_is_tested_is_named_in_a_known_form() -> None:
    """``# S-014`` in a test is how one finds what covers a case."""
    named: set[str] = set()
    for path in (Path(__file__).parents[1]).rglob("test_*.py"):
        named |= set(re.findall(r"\bS-([0-9]{3})\b", path.read_text()))
    assert len(named) > 250
