"""A real PostgreSQL of one's own, in a temporary folder, reached through a socket.

Run as a program it starts one, runs a command with ``DOORWARD_TEST_DATABASE`` set, and stops it:
``python tests/peers/postgresql.py pytest tests/identity``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

BINARIES = Path("/usr/lib/postgresql")
"""Where Debian puts them, by version; they are not on the path."""
USER = "postgres"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")


@dataclass
class Cluster:
    """A running server."""

    folder: Path
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, name: str) -> str:
        """How ``identity.database`` names a database of it."""
        return f"postgresql://{USER}@{quote(str(self.folder), safe='')}/{name}"

    def database(self) -> str:
        """A new, empty database; its URL."""
        name = f"fresh_{next(self._count)}"
        self._sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def _sql(self, text: str) -> None:
        command = [str(_binaries() / "psql"), "-h", str(self.folder), "-U", USER, "-qc", text, "postgres"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Started, and gone afterwards with everything in it. PostgreSQL does not run as root: then it runs as its own."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-pg-", dir="/tmp"))
    as_somebody: list[str] = []
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        as_somebody = ["runuser", "-u", USER, "--"]
    data, binaries = folder / "data", _binaries()
    try:
        init = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*as_somebody, *init], check=True, capture_output=True, timeout=120, cwd="/")
        options = [word for option in QUICK for word in ("-c", option)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_somebody, str(binaries / "postgres"), "-D", str(data), "-k", str(folder), *options],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        try:
            _wait(folder, server)
            yield Cluster(folder)
        finally:
            stop = [str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
            subprocess.run([*as_somebody, *stop], capture_output=True, timeout=60, cwd="/", check=False)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(BINARIES.glob("*/bin/postgres"), key=lambda path: float(path.parent.parent.name))
    assert found, f"there is no PostgreSQL in {BINARIES}: apt-get install postgresql"
    return found[-1].parent


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    ready = [str(_binaries() / "pg_isready"), "-q", "-h", str(folder), "-U", USER]
    deadline = time.monotonic() + 60
    while subprocess.run(ready, check=False).returncode != 0:
        assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)


def main() -> None:
    with cluster() as running:
        environment = {**os.environ, "DOORWARD_TEST_DATABASE": running.url("doorward")}
        raise SystemExit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
