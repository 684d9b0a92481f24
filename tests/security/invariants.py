"""What holds in every case (section 1 of the security catalogue), looked at after every test.

I1  the application got nothing on a protected host without a complete identity or a matched skip rule
I2  each identity field that it got was the outpost's, and there is exactly one of each name
I3  the path that it got is canonical, and host and path are what the auth server was asked about
I4  (``Stage.ask`` compares a number in each request with the one in its answer)
I5  no secret stands in anything that the program wrote
I6  the same processes are alive, within their memory, and connections are closed again
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from peers.processes import alive, descendants, eventually
from security.recording_application import Recorded
from security.stage import FORGED, PROTECTED, Stage

SKIPPED = {("app.example.test", b"/health")}
PUBLIC = {"mixed.example.test": b"/public"}
COMPLETE = frozenset(
    b"x-authentik-" + name
    for name in (
        b"username",
        b"groups",
        b"email",
        b"name",
        b"uid",
        b"jwt",
        b"meta-jwks",
        b"meta-outpost",
        b"meta-provider",
        b"meta-app",
        b"meta-version",
    )
)
OURS_TO_SET = re.compile(
    rb"x-authentik-|x-forwarded-|x-real-ip|x-doorward-|forwarded|x-original-|x-rewrite-|true-client|x-client-ip"
)
MOST_MEMORY = 400_000
"""Kilobytes (PSS) of all processes together, after whatever a test did to them."""
EVERY = 10
"""Tests between two looks at memory and connections, which cost more than most tests."""
MOST_LEFT_OPEN = 16
"""Connections that may stay between our own processes and to the application (kept for reuse)."""


@dataclass
class Invariants:
    """Begin before a test, check after it."""

    stage: Stage
    restarts: bool = False
    """Set by a test that restarts processes by itself."""
    _before: int = field(init=False, default=0)
    _judged_before: int = field(init=False, default=0)
    _tree: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._before = len(self.stage.application.requests)
        self._judged_before = len(self.stage.auth_server.requests)
        self._tree = descendants(self.stage.program.pid)

    def check(self) -> None:
        for request in self.stage.application.requests[self._before :]:
            self._check_identity(request)
            self._check_path(request)
        self._check_judged()
        check_secrets(self.stage)
        self._check_processes()

    def _check_identity(self, request: Recorded) -> None:
        host = request.host.decode()
        for name, value in request.headers:
            if OURS_TO_SET.match(name.lower()):
                assert FORGED.encode() not in value, f"I2: {name!r} holds what the client made up: {value!r}"
                assert len(request.all(name)) == 1 or name.lower() == b"x-forwarded-for", f"I2: {name!r} comes twice"
        identity = {name for name in request.names if name.startswith(b"x-authentik-")}
        path = request.target.partition(b"?")[0]
        open_here = (host, path) in SKIPPED or (host in PUBLIC and path.startswith(PUBLIC[host]))
        if host in PROTECTED:
            judged_by_test = host in ("judged.example.test", "mixed.example.test")
            needed = {b"x-authentik-username", b"x-authentik-uid"} if judged_by_test else COMPLETE
            assert open_here or identity >= needed, f"I1: {host} {path!r} was reached with {identity} only"
        else:
            assert not identity, f"I2: an open host got {identity}"

    def _check_path(self, request: Recorded) -> None:
        path = request.target.partition(b"?")[0]
        if path == b"*":
            return
        assert path.startswith(b"/"), f"I3: {path!r}"
        assert not re.search(rb"//|/\.{1,2}(/|$)|[\x00-\x20\x7f-\xff\\#]", path), f"I3: {path!r} is not canonical"
        assert not re.search(rb"%(?![0-9A-F]{2})|%(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9AE]|3[0-9]|2[DE]|5F)", path)

    def _check_judged(self) -> None:
        """What the test's auth server was asked is what the application then got."""
        asked = [
            (request.one(b"X-Forwarded-Host"), request.one(b"X-Forwarded-Uri"), request.one(b"X-Forwarded-Method"))
            for request in self.stage.auth_server.requests[self._judged_before :]
        ]
        for request in self.stage.application.requests[self._before :]:
            if request.host == b"judged.example.test":
                seen = (request.one(b"Host"), request.target, request.method)
                assert seen in asked, f"I3: {seen} arrived, judged were {asked[-5:]}"

    def _check_processes(self) -> None:
        program = self.stage.program
        if not self.restarts:
            assert all(map(alive, self._tree)), f"I6: a process ended: {program.last_words()}"
        assert program.process
        assert program.process.poll() is None, "I6: the program ended"
        self.stage.looks += 1
        if self.stage.looks % EVERY:
            return
        used = memory(program.pid)
        assert used < MOST_MEMORY, f"I6: {used} kB"
        ports = {program.https_port, program.identity_port, self.stage.web_port, self.stage.trusting_port}
        eventually(lambda: connections(ports) <= MOST_LEFT_OPEN, within=15, what="I6: connections are closed again")


def check_secrets(stage: Stage, *, everything: bool = False) -> None:
    """I5: in nothing that was written to a file or a terminal, since the last look or at all."""
    said = ""
    for path in (stage.program.output, stage.program.errors):
        with path.open("rb") as file:
            file.seek(0 if everything else stage.looked_at.get(path, 0))
            said += file.read().decode("utf-8", "replace")
            stage.looked_at[path] = max(0, file.tell() - 1000)
    for secret in stage.secrets:
        assert secret not in said, f"I5: a secret is in the log: …{said[max(0, said.index(secret) - 200) :][:260]}…"
    for line in said.splitlines():
        expected = stage.expected_trouble and stage.expected_trouble in line
        assert "Traceback" not in line or expected, line[:4000]


def memory(pid: int) -> int:
    """Proportional set size of a process and everything below it, in kilobytes."""
    kilobytes = 0
    for process in (pid, *descendants(pid)):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes


def cpu_seconds(pid: int) -> float:
    """What a process and everything below it have used of the processors, to the microsecond."""
    nanoseconds = 0
    for process in (pid, *descendants(pid)):
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                nanoseconds += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
    return nanoseconds / 1e9


def connections(ports: set[int]) -> int:
    """Established connections on the server's side of ``ports``."""
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            count += state in ("01", "08") and int(local.rpartition(":")[2], 16) in ports
    return count
