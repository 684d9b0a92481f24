"""The engine as assembly drives it: draining, TLS, logs and metrics."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.proxy.engine import LAST_LOOK
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import Stage, eventually, get
from proxy.engine.test_websockets import HANDSHAKE, SWITCH, echo_server


async def test_draining_lets_what_is_under_way_finish(stage: Stage) -> None:
    """Idle connections go at once, the request under way is answered with Connection: close, nobody new gets in."""
    # S-923
    release = asyncio.Event()

    async def held(request: Recorded, conversation: Conversation) -> bytes:
        await release.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"

    stage.application.handler = held
    await stage.start()
    idle, busy = await stage.client(), await stage.client()
    await busy.send(get())
    await eventually(lambda: len(stage.application.requests) == 1)

    draining = asyncio.create_task(stage.engine.drain(5))
    assert await idle.closed()
    with pytest.raises(ConnectionError):
        await stage.client()
    release.set()
    answer = await busy.answer()

    assert (answer.body, answer.values(b"connection")) == (b"done", [b"close"])
    await asyncio.wait_for(draining, 2)


async def test_draining_says_goodbye_to_websockets(stage: Stage) -> None:
    """Close code 1001."""  # S-923
    stage.application.handler = echo_server
    await stage.start()
    client = await stage.client()
    await client.ask(get(b"/ws", *HANDSHAKE))

    await asyncio.wait_for(stage.engine.drain(5), 2)

    assert await client.rest() == b"\x88\x02\x03\xe9"


async def test_draining_ends(stage: Stage) -> None:
    """What does not finish within the grace is cut, and nothing is half forwarded."""

    async def never(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.reader.read(1)
        return None

    stage.application.handler = never
    await stage.start()
    client = await stage.client()
    await client.send(get())
    await eventually(lambda: len(stage.application.requests) == 1)

    await asyncio.wait_for(stage.engine.drain(0.1), 2)

    assert await client.closed()
    await eventually(lambda: stage.application.open == 0)


COMMON = re.compile(
    r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /a\?code=REDACTED&x=%22\\x22 HTTP/1\.1" 200 '
    r'(\d+) "-" "-" 1 "r@file" "http://127\.0\.0\.1:\d+" \d+ms'
)


async def test_the_common_log(stage: Stage, tmp_path: Path) -> None:
    """Traefik's line, quotes escaped, secrets cut out, written within a second."""  # S-052 S-802
    stage.log_path = str(tmp_path / "access.log")
    await stage.start()
    client = await stage.client()

    await client.ask(get(b'/a?code=s3cret&x=%22"'))
    await eventually(lambda: (tmp_path / "access.log").stat().st_size > 0, 2)

    line = (tmp_path / "access.log").read_text()
    assert COMMON.fullmatch(line.rstrip("\n")), line
    assert "s3cret" not in line


async def test_the_json_log(stage: Stage, tmp_path: Path) -> None:
    """One object a line with Traefik's keys."""
    stage.log_path, stage.log_format = str(tmp_path / "access.log"), "json"
    await stage.start()
    client = await stage.client()

    await client.ask(b"POST /a HTTP/1.1\r\nHost: a.test:81\r\nContent-Length: 3\r\n\r\nabc")
    await eventually(lambda: (tmp_path / "access.log").stat().st_size > 0, 2)

    entry = json.loads((tmp_path / "access.log").read_text())
    assert entry["RequestContentSize"] == 3
    assert entry["DownstreamContentSize"] == len(b"/a\nabc")
    assert (entry["RequestHost"], entry["RequestPort"], entry["RequestAddr"]) == ("a.test", "81", "a.test:81")
    assert (entry["DownstreamStatus"], entry["OriginStatus"], entry["RouterName"]) == (200, 200, "r@file")
    assert entry["Duration"] >= entry["OriginDuration"] > 0


async def test_the_log_can_be_rotated(stage: Stage, tmp_path: Path) -> None:
    """After the file was moved away, ``reopen`` goes on in a new one."""
    path = tmp_path / "access.log"
    stage.log_path = str(path)
    await stage.start()
    client = await stage.client()
    await client.ask(get(b"/one"))

    path.rename(tmp_path / "access.log.1")
    stage.engine.reopen_access_log()
    await client.ask(get(b"/two"))
    await eventually(lambda: path.exists() and path.stat().st_size > 0, 2)

    assert "/one" in (tmp_path / "access.log.1").read_text()
    assert "/two" in path.read_text()


async def test_requests_are_counted(stage: Stage) -> None:
    """Under Traefik's names; a second collection has only what is new."""
    await stage.start()
    client = await stage.client()
    for _ in range(3):
        await client.ask(get())
    await client.ask(b"BREW / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc")

    counted = stage.metrics.collect()

    got = 'code="200",method="GET",protocol="http"'
    assert counted[f'traefik_entrypoint_requests_total{{{got},entrypoint="web"}}'] == 3
    assert counted[f'traefik_service_requests_total{{{got},service="app@file"}}'] == 3
    assert counted[f'traefik_router_requests_total{{{got},router="r@file",service="app@file"}}'] == 3
    assert counted[f'traefik_entrypoint_request_duration_seconds_bucket{{{got},entrypoint="web",le="+Inf"}}'] == 3
    assert counted[f'traefik_entrypoint_responses_bytes_total{{{got},entrypoint="web"}}'] == 6
    other = 'code="200",method="EXTENSION_METHOD",protocol="http"'
    assert counted[f'traefik_entrypoint_requests_bytes_total{{{other},entrypoint="web"}}'] == 3
    assert stage.metrics.collect() == {}


async def test_a_client_that_left_is_499(stage: Stage) -> None:
    """In the log and in the metrics."""

    async def never(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.reader.read()
        return None

    stage.application.handler = never
    await stage.start()
    client = await stage.client()
    await client.send(get())
    await eventually(lambda: len(stage.application.requests) == 1)
    client.cut()

    await eventually(lambda: stage.application.open == 0)
    assert 'traefik_entrypoint_requests_total{code="499",method="GET",protocol="http",entrypoint="web"}' in (
        stage.metrics.collect()
    )


async def test_a_client_that_does_not_read_is_cut(stage: Stage) -> None:
    """No byte taken for the write timeout ends the response."""  # S-902
    stage.entry_point = replace(stage.entry_point, write_timeout=0.5)

    async def large(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            await conversation.send(b"x" * 65536)

    stage.application.handler = large
    await stage.start()
    client = await stage.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get())

    await eventually(lambda: stage.application.connections == 1 and stage.application.open == 0, 6)


async def test_a_worker_that_is_replaced_takes_nothing_away(stage: Stage) -> None:
    """Its idle connections are still served once, and told to go with the answer; nothing new is accepted."""
    await stage.start()
    client = await stage.client()
    assert (await client.ask(get())).status == 200
    closed = asyncio.Event()

    draining = asyncio.create_task(stage.engine.drain(5, replaced=True, closed=closed.set))
    await asyncio.wait_for(closed.wait(), 2)
    with pytest.raises(ConnectionError):
        await stage.client()
    answer = await client.ask(get())

    assert (answer.status, answer.values(b"connection")) == (200, [b"close"])
    await asyncio.wait_for(draining, 2)


async def test_a_request_that_has_begun_to_come_in_is_answered(stage: Stage) -> None:
    """Half a head had arrived when the worker was told to stop."""  # S-923
    await stage.start()
    client = await stage.client()
    request = get()
    await client.send(request[:20])
    await eventually(lambda: stage.engine.open_connections["web"] == 1)

    draining = asyncio.create_task(stage.engine.drain(5))
    await eventually(lambda: stage.engine._servers["web"].draining)
    await asyncio.sleep(LAST_LOOK * 2)
    await client.send(request[20:])

    assert (await client.answer()).status == 200
    await asyncio.wait_for(draining, 2)


async def test_goodbye_comes_after_the_frame_that_is_on_its_way(stage: Stage) -> None:
    """A WebSocket is not broken off within a message."""  # S-923
    go_on = asyncio.Event()

    async def halves(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(SWITCH + b"\x81\x04ha")
        await go_on.wait()
        await conversation.send(b"lf")
        await conversation.reader.read()

    stage.application.handler = halves
    await stage.start()
    client = await stage.client()
    await client.send(get(b"/ws", *HANDSHAKE))
    await eventually(lambda: stage.engine.open_connections["web"] == 1)
    await client.reader.readuntil(b"\x81\x04ha")

    draining = asyncio.create_task(stage.engine.drain(5))
    await eventually(lambda: stage.engine._servers["web"].draining)
    go_on.set()

    assert await client.rest() == b"lf\x88\x02\x03\xe9"
    await asyncio.wait_for(draining, 2)
