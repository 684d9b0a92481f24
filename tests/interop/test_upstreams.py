"""The whole program in front of real servers: health is found once and known to every worker, whatever restarts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from peers.processes import alive, descendants, eventually, free_port, running
from peers.program import DOORWARD, Program
from peers.questions import Answer, ask

pytestmark = pytest.mark.interop

ROUTES = """\
http:
  routers:
    pair: {{rule: "Host(`pair.test`)", service: pair}}
    safe: {{rule: "Host(`safe.test`)", service: safe}}
    shy: {{rule: "Host(`shy.test`)", service: shy}}
  services:
    pair:
      loadBalancer:
        servers: [{{url: "http://127.0.0.1:{one}"}}, {{url: "http://127.0.0.1:{two}"}}]
        healthCheck: {{path: /health, interval: 200ms, unhealthyInterval: 100ms, timeout: 1s}}
    spare: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{three}"}}]}}}}
    safe: {{failover: {{service: pair, fallback: spare}}}}
    shy:
      loadBalancer:
        servers: [{{url: "http://127.0.0.1:{three}"}}]
        passiveHealthCheck: {{failureWindow: 2s, maxFailedAttempts: 2}}
{more}
"""
STATIC = """\
entryPoints:
  web: {{address: "127.0.0.1:{web}"}}
  traefik: {{address: "127.0.0.1:{metrics}"}}
  identity: {{address: "127.0.0.1:{identity}"}}
providers: {{file: {{filename: {routes}}}, providersThrottleDuration: 100ms}}
metrics: {{prometheus: {{}}}}
workers: 2
identity: {{externalUrl: "http://127.0.0.1:{identity}", data: {data}, entryPoint: identity}}
"""


@dataclass
class Landscape:
    program: Program
    servers: dict[str, int]
    routes: Path
    metrics_port: int

    def ask(self, host: str, path: str = "/") -> Answer:
        """On a connection of its own: the kernel gives it to either worker."""
        return ask(f"http://{host}{path}", port=self.program.http_port)

    def names(self, host: str, count: int = 30) -> set[str]:
        """Who answers; a status where nobody does."""
        found = set()
        for _ in range(count):
            answer = self.ask(host)
            found.add(answer.text.partition("\n")[0] if answer.status == 200 else str(answer.status))
        return found

    def set_health(self, name: str, status: int) -> None:
        ask(f"http://127.0.0.1:{self.servers[name]}/health", method="POST", body=str(status).encode())

    def write(self, more: str = "") -> None:
        new = self.routes.with_suffix(".new")
        new.write_text(ROUTES.format(**self.servers, more=more))
        new.rename(self.routes)

    def gauge(self, service: str, name: str) -> str:
        """The line of the metrics page, without its name."""
        series = f'traefik_service_server_up{{service="{service}",url="http://127.0.0.1:{self.servers[name]}"}} '
        text = ask(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        return next((line.removeprefix(series) for line in text.splitlines() if line.startswith(series)), "")

    @property
    def said(self) -> str:
        return self.program.errors.read_text()

    def control(self) -> int:
        """The process that holds the control socket."""
        inodes = {
            line.split()[6]
            for line in Path("/proc/net/unix").read_text().splitlines()
            if line.endswith("/control.sock") and line.split()[3] == "00010000"
        }
        for pid in descendants(self.program.pid):
            held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
            if any(f"socket:[{inode}]" in held for inode in inodes):
                return pid
        raise AssertionError("nobody is in control")


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder = tmp_path_factory.mktemp("upstreams")
    program = Program(folder / "program", config=folder / "doorward.yml")
    servers = {name: free_port() for name in ("one", "two", "three")}
    world = Landscape(program, servers, folder / "routes.yml", free_port())
    world.write()
    (folder / "doorward.yml").write_text(
        STATIC.format(
            web=program.http_port,
            metrics=world.metrics_port,
            identity=program.identity_port,
            routes=world.routes,
            data=program.data,
        )
    )
    whoami = [
        running([DOORWARD, "whoami", "--port", port, "--name", name], log=folder / f"{name}.log", port=port)
        for name, port in servers.items()
    ]
    with whoami[0], whoami[1], whoami[2]:
        try:
            program.start()
            yield world
            program.stop()
        finally:
            program.end()


def test_every_worker_knows_who_is_down(landscape: Landscape) -> None:
    """Found once, in force in all workers within a moment; logged, counted, and undone the same way."""
    url = f"http://127.0.0.1:{landscape.servers['one']}"
    assert landscape.names("pair.test") == {"Name: one", "Name: two"}
    assert landscape.gauge("pair@file", "one") == "1"

    landscape.set_health("one", 503)
    eventually(lambda: landscape.names("pair.test") == {"Name: two"}, what="one gets nothing")
    assert f"the server {url} of pair@file is down: it answered 503" in landscape.said
    assert (landscape.gauge("pair@file", "one"), landscape.gauge("pair@file", "two")) == ("0", "1")

    landscape.set_health("one", 200)
    eventually(lambda: landscape.names("pair.test") == {"Name: one", "Name: two"}, what="one is back")
    assert f"the server {url} of pair@file is up again" in landscape.said


def test_a_reload_and_a_restart_forget_nothing(landscape: Landscape) -> None:
    """Neither a new table nor a new control process lets a single request through to a server that is down."""
    landscape.set_health("one", 503)
    eventually(lambda: landscape.names("pair.test") == {"Name: two"}, what="one gets nothing")

    landscape.write("    other: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}\n")
    assert landscape.names("pair.test", 60) == {"Name: two"}
    old = landscape.control()
    os.kill(old, signal.SIGKILL)
    assert landscape.names("pair.test", 60) == {"Name: two"}
    eventually(lambda: not alive(old) and landscape.gauge("pair@file", "one") == "0", what="control knows again")
    assert landscape.names("pair.test") == {"Name: two"}

    landscape.set_health("one", 200)
    eventually(lambda: landscape.names("pair.test") == {"Name: one", "Name: two"}, what="one is back")


def test_a_spare_takes_over(landscape: Landscape) -> None:
    """While nobody of the pair is well, and only then."""
    assert landscape.names("safe.test") == {"Name: one", "Name: two"}

    for name in ("one", "two"):
        landscape.set_health(name, 500)
    eventually(lambda: landscape.names("safe.test") == {"Name: three"}, what="the spare answers")
    assert landscape.names("pair.test", 4) == {"503"}
    landscape.set_health("two", 200)
    eventually(lambda: landscape.names("safe.test") == {"Name: two"}, what="the pair answers")
    landscape.set_health("one", 200)


def test_failures_that_workers_see_add_up(landscape: Landscape) -> None:
    """Two failures, whichever workers saw them: for two seconds nobody asks the server, then everybody may again."""
    landscape.set_health("three", 500)
    failures = []

    def failing() -> bool:
        failures.append(landscape.ask("shy.test", "/health"))
        return failures[-1].status == 503

    eventually(failing, what="the server rests")
    assert failures[0].status == 500
    assert failures[-1].text == "no available server\n"
    assert {landscape.ask("shy.test").status for _ in range(30)} == {503}
    assert landscape.gauge("shy@file", "three") == "0"
    assert "failed too often and gets no requests for 2 s" in landscape.said
    eventually(lambda: landscape.names("shy.test") == {"Name: three"}, what="the server is asked again")
    landscape.set_health("three", 200)
