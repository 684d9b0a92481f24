"""File descriptors run out: accepting pauses and goes on, and nobody who waits is turned away."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.engine.stage import Client, Stage, eventually, get
from proxy.engine.tls import router, serve, table, tls_client


@pytest.fixture
def few_files() -> Iterator[None]:
    """This process may open no file beyond those that it has."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def use_up_descriptors() -> list[socket.socket]:
    """Forbid descriptors beyond the highest in use, and hold every free one below it as well."""
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    while True:
        try:
            held.append(socket.socket())
        except OSError:
            return held


async def test_accepting_pauses_without_descriptors(
    stage: Stage, few_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No busy loop while there are none, and those who waited are served when there are some again."""  # S-921
    monkeypatch.setattr("doorward.net.door.PAUSE", 0.2)
    await serve(stage, table(router("r", tls=False), router("t")))
    loop = asyncio.get_running_loop()
    waiting = [stage.socket() for _ in range(5)]
    spare = [socket.socket() for _ in range(30)]
    held = spare + use_up_descriptors()
    for client in waiting:
        await loop.sock_sendall(client, get())
    taken, cpu = 0, time.process_time()
    await asyncio.sleep(1.0)

    assert time.process_time() - cpu < 0.2

    for one in held:
        one.close()
    for client in waiting:
        answer = await asyncio.wait_for(loop.sock_recv(client, 65536), 3)
        taken += answer.startswith(b"HTTP/1.1 200")
        client.close()
    assert taken == 5


async def test_the_doors_shut_before_descriptors_run_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """At half of them new connections wait in the backlog, plain and TLS; when some leave, they are served."""  # S-921
    monkeypatch.setattr("doorward.proxy.engine.room_for_connections", lambda: 4)
    await serve(stage, table(router("r", tls=False)))
    first = [await stage.client() for _ in range(4)]
    for client in first:
        assert (await client.ask(get())).status == 200

    late: list[Client] = [await stage.client() for _ in range(3)]
    for client in late:
        await client.send(get())
    await asyncio.sleep(0.1)
    assert sum(stage.engine.open_connections.values()) == 4

    for client in first:
        client.cut()
    for client in late:
        assert (await client.answer()).status == 200


async def test_the_same_for_tls(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handshakes wait as well."""  # S-921
    monkeypatch.setattr("doorward.proxy.engine.room_for_connections", lambda: 2)
    await serve(stage, table())
    first = [await tls_client(stage, "one.test") for _ in range(2)]
    late = asyncio.create_task(tls_client(stage, "one.test"))
    await asyncio.sleep(0.2)
    assert not late.done()

    for client in first:
        client.cut()
    assert (await (await asyncio.wait_for(late, 3)).ask(get())).status == 200
    await eventually(lambda: sum(stage.engine.open_connections.values()) == 1)


def test_a_worker_takes_what_its_hard_limit_allows() -> None:
    """The soft limit of a shell (often 1024) is no limit of ours."""
    program = textwrap.dedent("""
        import resource
        from doorward.net.descriptors import raise_limit, room_for_connections
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1024))
        raise_limit()
        print(resource.getrlimit(resource.RLIMIT_NOFILE), room_for_connections())
    """)

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "(1024, 1024) 480"


async def test_too_many_handshakes_of_one_peer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that have not said anything yet count as well, and stop counting when they leave."""
    monkeypatch.setattr("doorward.proxy.entry_point.EntryPointServer._speaks_for_many", lambda self, peer: False)
    monkeypatch.setattr("doorward.proxy.headcount.MAX_PER_PEER", 2)
    stage.entry_point = replace(stage.entry_point, tls=True)
    await serve(stage, table())
    silent, second = await stage.client(), await tls_client(stage, "one.test")

    assert await (await stage.client()).closed()
    silent.cut()
    await asyncio.sleep(0.05)
    third = await tls_client(stage, "one.test")
    assert (await second.ask(get())).status == (await third.ask(get())).status == 200
