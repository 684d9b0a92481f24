"""The whole program as a user starts it: one process tree, started, asked, and stopped with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.processes import alive, descendants, environment, eventually, free_port
from peers.questions import Answer, ask

DOORWARD = Path(sys.executable).with_name("doorward")
PASSWORD = "correct-horse-battery-9"
TOKEN = "bootstrap-token-4d1c7fb2a90e5b6f8c"
EMAIL = "admin@example.com"


@dataclass
class Program:
    """``doorward demo`` (or ``serve`` when ``config`` is given) with a state folder of its own.

    Ports are chosen once, so that a second start answers at the same addresses.
    """

    folder: Path
    """Where state and logs go."""
    config: Path | None = None
    prefix: tuple[str, ...] = ()
    """A command that runs it, such as taskset."""
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    identity_port: int = field(default_factory=free_port)
    workers: int = 2
    """More than the demonstration's own one, so that whatever one worker knows and another does not shows up."""
    secrets: tuple[str, ...] = (PASSWORD, TOKEN)
    """What must never be seen in any output."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    told: dict[str, Any] = field(default_factory=dict, init=False)
    """The line of JSON that the program printed when it was ready."""
    seconds_to_ready: float = field(default=0.0, init=False)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def output(self) -> Path:
        return self.folder / "output.log"

    @property
    def errors(self) -> Path:
        return self.folder / "errors.log"

    @property
    def ca(self) -> Path:
        return self.data / "ca" / "ca.pem"

    @property
    def whoami(self) -> str:
        return f"https://whoami.localhost:{self.https_port}"

    @property
    def identity(self) -> str:
        return f"https://auth.localhost:{self.https_port}"

    @property
    def plain(self) -> str:
        """The identity entry point, where other proxies and API clients go."""
        return f"http://127.0.0.1:{self.identity_port}"

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self) -> Program:
        """Start and wait until it says that it is ready. Raises AssertionError with its last words otherwise."""
        begun = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        seen = self.output.stat().st_size if self.output.exists() else 0
        with self.output.open("ab") as output, self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*self.prefix, *(self.serve() if self.config else self.demo("--json"))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment(
                    DOORWARD_BOOTSTRAP_PASSWORD=PASSWORD,
                    DOORWARD_BOOTSTRAP_TOKEN=TOKEN,
                    DOORWARD_BOOTSTRAP_EMAIL=EMAIL,
                ),
                start_new_session=True,
            )
        eventually(lambda: self._ready(seen), within=60, what=f"doorward is ready; it said: {self.last_words()}")
        self.seconds_to_ready = time.monotonic() - begun
        return self

    def demo(self, *options: str) -> list[str]:
        """The command line of the demonstration on this folder and these ports."""
        return [
            str(DOORWARD),
            "demo",
            *options,
            f"--data={self.data}",
            f"--http-port={self.http_port}",
            f"--https-port={self.https_port}",
            f"--identity-port={self.identity_port}",
            f"--workers={self.workers}",
        ]

    def serve(self) -> list[str]:
        """The command line that runs a configuration file."""
        return [str(DOORWARD), "serve", "--config", str(self.config)]

    def stop(self) -> None:
        """Ctrl-C: the whole tree ends by itself, with status 0, and leaves no process and no trace of a failure."""
        assert self.process
        tree = descendants(self.pid)
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(20)
        assert status == 0, f"exit status {status}; it said: {self.last_words()}"
        eventually(lambda: not any(map(alive, tree)), within=5, what="every child has ended")
        self.process = None
        self.check_output()

    def end(self) -> None:
        """For the end of a test that may have failed: stop whatever is left, by any means."""
        if self.process is None:
            return
        tree = [self.pid, *descendants(self.pid)]
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in tree:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(10)
        self.process = None

    def check_output(self) -> None:
        """Invariant I5 of the security catalogue: no secret in any output; and nothing crashed."""
        said = self.output.read_text(errors="replace") + self.errors.read_text(errors="replace")
        assert "Traceback" not in said, said[said.index("Traceback") :][:4000]
        lines = [line for line in said.splitlines() if not line.startswith('{"urls"')]
        for secret in self.secrets:
            assert not any(secret in line for line in lines), "a secret stands in the output"

    def last_words(self) -> str:
        texts = [path.read_text(errors="replace") for path in (self.output, self.errors) if path.exists()]
        return "\n".join(texts)[-3000:]

    def ask(self, path: str, **arguments: Any) -> Answer:
        """A question to the identity entry point."""
        return ask(self.plain + path, **arguments)

    def _ready(self, seen: int) -> bool:
        assert self.process
        assert self.process.poll() is None, f"doorward ended with {self.process.returncode}: {self.last_words()}"
        if self.config:
            return self._answers_ready()
        for line in self.output.read_bytes()[seen:].splitlines():
            if line.startswith(b'{"urls"'):
                self.told = json.loads(line)
                return True
        return False

    def _answers_ready(self) -> bool:
        try:
            return self.ask("/-/health/ready/", timeout=2).status == 200
        except OSError:
            return False
