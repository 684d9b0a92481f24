"""A hundred busy connections through everything that may happen to a program that must not stop: reloads, workers that
crash or are asked to go, a control process that crashes, a new version that takes over. Not one request fails.

What a crash may cost: the connections that the crashed worker had, and nothing else. No connection is refused, no
connection of another worker is touched, and whoever connects after the crash is served.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assembly.crowd import Application, Crowd
from net.certificates import self_signed
from peers.processes import alive, descendants, environment, eventually, free_port
from peers.program import DOORWARD, Program


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = Program(folder, config=folder / "doorward.yml")
        self.ports = {"web": free_port(), "websecure": free_port()}

    def start(self, application: int) -> None:
        made = self_signed("open.test")
        (self.folder / "open.crt").write_text(made.chain_pem)
        (self.folder / "open.key").write_text(made.key_pem)
        self.application = application
        self.route(0)
        assert self.program.config
        self.program.config.write_text(f"""
entryPoints:
  web: {{address: "127.0.0.1:{self.ports["web"]}"}}
  websecure: {{address: "127.0.0.1:{self.ports["websecure"]}", http: {{tls: {{}}}}}}
  identity: {{address: "127.0.0.1:{self.program.identity_port}"}}
providers:
  providersThrottleDuration: 50ms
  file: {{filename: {self.folder}/routes.yml}}
metrics: {{prometheus: {{entryPoint: identity}}}}
identity: {{externalUrl: "https://auth.open.test", data: {self.program.data}}}
workers: 2
""")
        self.program.start()

    def route(self, number: int) -> None:
        text = f"""
http:
  routers:
    open: {{rule: "Host(`open.test`)", entryPoints: [web, websecure], service: a}}
    other: {{rule: "Host(`other{number}.test`)", service: a}}
  services:
    a: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{self.application}"}}]}}}}
tls:
  certificates: [{{certFile: {self.folder}/open.crt, keyFile: {self.folder}/open.key}}]
"""
        (self.folder / "routes.new").write_text(text)
        (self.folder / "routes.new").rename(self.folder / "routes.yml")

    def metrics(self) -> set[str]:
        return set(self.program.ask("/metrics").text.splitlines())

    @property
    def supervisor(self) -> int:
        return int((self.program.data / "run" / "doorward.pid").read_text())

    def workers(self) -> list[int]:
        """Children that have connections or doors of ours: those with sockets on the port."""
        return [pid for pid in descendants(self.supervisor) if self.sockets(pid, "0A")]

    def control(self) -> int:
        inodes = {
            line.split()[6]
            for line in Path("/proc/net/unix").read_text().splitlines()
            if line.endswith("/control.sock") and line.split()[3] == "00010000"
        }
        (pid,) = (pid for pid in descendants(self.supervisor) if inodes & held(pid))
        return pid

    def sockets(self, pid: int, state: str) -> set[int]:
        """Other ends' ports of the sockets of our entry points that a process holds."""
        ours = {f"{port:04X}" for port in self.ports.values()}
        held_by = held(pid)
        found = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            (
                _,
                local,
                remote,
                its_state,
                *_,
            ) = line.split()[:4]
            if local.rpartition(":")[2] in ours and its_state == state and line.split()[9] in held_by:
                found.add(int(remote.rpartition(":")[2], 16))
        return found


def held(pid: int) -> set[str]:
    try:
        links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return set()
    return {link[8:-1] for link in links if link.startswith("socket:[")}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    try:
        yield stage
    finally:
        stage.program.end()


async def until(condition: object, what: str) -> None:
    assert callable(condition)
    await asyncio.to_thread(eventually, condition, within=30, what=what)


async def upgrade(stage: Stage, extra: str = "") -> tuple[int, str]:
    """Exit status and output of the command; ``extra``: another entry point."""
    assert stage.program.config
    config = stage.folder / "next.yml"
    config.write_text(stage.program.config.read_text().replace("providers:", f"{extra}providers:", 1))
    process = await asyncio.create_subprocess_exec(
        str(DOORWARD), "upgrade", "--config", str(config), "--timeout", "90",
        stderr=asyncio.subprocess.PIPE, env=environment(),
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 100)
    return process.returncode or 0, said.decode()


async def test_nothing_is_lost(stage: Stage) -> None:
    """See above."""
    application = Application()
    await asyncio.to_thread(stage.start, await application.start())
    crowd = Crowd(stage.ports, plain=35, posting=20, secure=15, http2=10, websocket=15, fresh=5)
    crowd.start()
    await crowd.goes_on()

    for number in range(1, 3):
        stage.route(number)
        await crowd.goes_on(1)
        os.kill(stage.supervisor, signal.SIGHUP)
        await crowd.goes_on(1)
        used = {f"doorward_config_generation {number + 1}", "doorward_config_generation_workers 2"}
        await until(lambda used=used: used <= stage.metrics(), f"both workers use table {number + 1}")

    asked, sibling = stage.workers()
    os.kill(asked, signal.SIGUSR2)
    await until(lambda: not alive(asked) and len(stage.workers()) == 2, "another worker is in its place")
    await crowd.goes_on()
    os.kill(stage.control(), signal.SIGKILL)
    await crowd.goes_on()
    assert [failure.why for failure in crowd.failures()] == []

    its_own = stage.sockets(sibling, "01")
    os.kill(sibling, signal.SIGKILL)
    killed = time.monotonic()
    await until(lambda: not alive(sibling) and len(stage.workers()) == 2, "the killed worker is replaced")
    await crowd.goes_on()
    touched = [failure for failure in crowd.failures() if failure.port not in its_own]
    assert [failure.why for failure in touched if failure.begun > killed or failure.client.kind != "fresh"] == []
    for client in crowd.clients:
        client.failures.clear()

    elder, before = stage.supervisor, stage.workers()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = await upgrade(stage, extra=f"  more: {{address: '127.0.0.1:{taken.getsockname()[1]}'}}\n")
    assert status == 1
    assert "entry point more: another program is listening" in said
    assert "the running version goes on" in said
    assert (stage.supervisor, stage.workers()) == (elder, before)

    status, said = await upgrade(stage)
    assert status == 0, said
    assert stage.supervisor != elder
    await until(lambda: not any(map(alive, before)), "the old workers have gone")
    await crowd.goes_on()
    await crowd.stop()
    assert [failure.why for failure in crowd.failures()] == []
    application.close()

    await asyncio.to_thread(stage.program.stop)
