"""The program's own log: its level, its form, its file, for every process."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from doorward.observe.log_lines import JsonLines, PlainLines

RECORD = logging.LogRecord("doorward.proxy", logging.INFO, "", 0, "http.reject \x1b[2J\r\nforged", (), None)
RECORD.facts = {"peer": "192.0.2.7", "note": 'a "b"\n'}

PROCESS = """
import logging, os, signal, sys
from doorward.observe import log_lines
log_lines.start(*sys.argv[1:4])
logging.getLogger("doorward.proxy").debug("a detail")
logging.getLogger("doorward.proxy").warning("a warning")
logging.getLogger("library").info("a library's remark")
print("printed by something", file=sys.stderr)
if len(sys.argv) > 4:
    os.rename(sys.argv[3], sys.argv[4])
    os.kill(os.getpid(), signal.SIGUSR1)
    logging.getLogger("doorward.proxy").warning("after the rotation")
"""


def run(*arguments: str) -> str:
    """What a process with these settings leaves on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, *arguments], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stderr


def test_a_record_is_one_line_in_either_form() -> None:
    """Nothing in it ends the line or steers a terminal."""
    # S-620
    as_json, in_words = JsonLines().format(RECORD), PlainLines().format(RECORD)

    assert json.loads(as_json)["event"] == "http.reject \x1b[2J\r\nforged"
    for line in (as_json, in_words):
        assert line.isprintable()
        assert line.isascii()
    assert "INFO doorward.proxy: http.reject \\x1b[2J\\r\\nforged peer=192.0.2.7 note=" in in_words


@pytest.mark.parametrize(
    ("level", "expected"),
    [("DEBUG", ["a detail", "a warning"]), ("INFO", ["a warning"]), ("WARN", ["a warning"]), ("ERROR", [])],
)
def test_the_level_is_of_our_own_records(level: str, expected: list[str]) -> None:
    """A library is not made to talk by ``DEBUG``: what it would say is about what it carries."""
    # S-802
    lines = [line for line in run(level, "json", "").splitlines() if line.startswith("{")]

    assert [json.loads(line)["event"] for line in lines] == expected


def test_everything_goes_into_the_file(tmp_path: Path) -> None:
    """Records and whatever else is printed; after a rotation in the new file."""
    path, moved = tmp_path / "doorward.log", tmp_path / "doorward.log.1"

    assert run("INFO", "common", str(path), str(moved)) == ""

    assert "WARNING doorward.proxy: a warning" in moved.read_text()
    assert "printed by something" in moved.read_text()
    assert path.read_text().endswith("WARNING doorward.proxy: after the rotation\n")
    assert path.stat().st_mode & 0o007 == 0
