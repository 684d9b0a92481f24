"""An HTTP/2 connection to a server, as far as it depends on the time: silence, idleness, farewells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from doorward.messages.http import Header
from doorward.net.http2_call import Http2Call, Question
from doorward.net.http2_upstream import Http2Upstream
from doorward.net.upstream import CannotConnect, Lost, UpstreamError
from doorward.wire.http1.response import ReceivedHead
from wire.http2.by_hand import ACK, GOAWAY, OK, PING, PREFACE, Frame, data, frame, frames, headers, settings

GET = Question(b"GET", b"http", b"app.test", b"/", ())


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}


class Line(asyncio.Transport):
    """The socket: keeps what is written, and ends when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.protocol: Http2Upstream

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


class Keeper:
    """Keeps connections, and forgets those that are gone."""

    def __init__(self) -> None:
        self.gone_ones: list[Http2Upstream] = []

    def gone(self, connection: Http2Upstream) -> None:
        self.gone_ones.append(connection)


class Asker:
    """Notes what comes back."""

    def __init__(self) -> None:
        self.heads: list[ReceivedHead] = []
        self.body = b""
        self.ended = False
        self.error: UpstreamError | None = None

    def response_started(self, head: ReceivedHead) -> None:
        self.heads.append(head)

    def response_data(self, data: bytes) -> None:
        self.body += data

    def response_flush(self) -> None: ...

    def response_trailers(self, trailers: tuple[Header, ...]) -> None: ...

    def response_ended(self) -> None:
        self.ended = True

    def response_failed(self, error: UpstreamError) -> None:
        self.error = error

    def upstream_full(self) -> None: ...

    def upstream_ready(self) -> None: ...


class World:
    def __init__(self) -> None:
        self.keeper, self.line = Keeper(), Line()
        self.connection = Http2Upstream(self.keeper)
        self.line.protocol = self.connection
        self.connection.connection_made(self.line)
        self.connection.data_received(settings())
        self.started = time.monotonic()

    def ask(self) -> tuple[Asker, Http2Call]:
        asker, call = Asker(), self.connection.call()
        call.ask(asker, GET, complete=True)
        return asker, call

    def sweep(self, after: float, idle: float = 90.0, silence: float = 10.0, ping: float = 5.0) -> None:
        self.connection.sweep(self.started + after, idle, silence, ping)

    async def said(self) -> list[Frame]:
        """What was written since the last time."""
        await asyncio.sleep(0)
        written, self.line.written = self.line.written.removeprefix(PREFACE), b""
        return frames(written)


async def test_a_silent_server_is_asked_for_a_sign_of_life() -> None:
    """Once (``readIdleTimeout``); whatever it says then is one."""
    world = World()
    asker, _ = world.ask()
    await world.said()

    world.sweep(9.0)
    assert await world.said() == []
    world.sweep(11.0)
    world.sweep(12.0)
    (ping,) = await world.said()
    assert (ping.kind, ping.flags) == (PING, 0)

    world.connection.data_received(frame(PING, ACK, 0, ping.payload))
    world.sweep(1.0)
    assert not world.line.closed
    world.connection.data_received(headers(1, OK))
    assert asker.ended


async def test_a_server_that_gives_none_is_lost() -> None:
    """After ``pingTimeout``: whoever waits hears of it."""
    world = World()
    asker, _ = world.ask()
    world.sweep(11.0)
    world.sweep(15.0)
    assert not world.line.closed

    world.sweep(17.0)
    await asyncio.sleep(0)

    assert world.line.closed
    assert isinstance(asker.error, Lost) and asker.error.untouched
    assert world.keeper.gone_ones


async def test_an_idle_connection_says_goodbye() -> None:
    """It is not pinged, and goes when its time has come."""
    world = World()
    asker, _ = world.ask()
    world.connection.data_received(headers(1, OK))
    await world.said()
    assert asker.ended

    world.sweep(80.0)
    assert await world.said() == []
    world.sweep(92.0)

    assert [found.kind for found in await world.said()] == [GOAWAY]
    assert world.line.closed


async def test_a_place_that_is_not_used_is_free_again() -> None:
    """And while it is given out, the connection is not idle."""
    world = World()
    call = world.connection.call()
    assert not world.connection.idle

    call.release()

    assert world.connection.idle


async def test_a_place_whose_connection_ended_meanwhile() -> None:
    """Nothing was sent, and whoever asks hears so, not at once but soon."""
    world = World()
    call = world.connection.call()
    world.connection.connection_lost(None)
    asker = Asker()

    call.ask(asker, GET, complete=True)
    assert asker.error is None
    await asyncio.sleep(0)

    assert str(asker.error) == "the connection has just ended"


async def test_a_farewell_lets_what_is_under_way_finish() -> None:
    """GOAWAY: no further calls, and the end when the last one has ended."""
    world = World()
    asker, _ = world.ask()
    goaway = frame(GOAWAY, 0, 0, (1).to_bytes(4, "big") + bytes(4))

    world.connection.data_received(goaway)
    assert not world.connection.has_room and not world.line.closed
    world.connection.data_received(headers(1, OK))
    await asyncio.sleep(0)

    assert asker.ended and world.line.closed


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", settings((3, 0))])
async def test_a_server_of_another_kind(answer: bytes) -> None:
    """Who speaks something else, or allows no streams, is as good as not there."""
    connection, line = Http2Upstream(Keeper()), Line()
    line.protocol = connection
    connection.connection_made(line)
    connection.data_received(answer)

    with pytest.raises(CannotConnect):
        await connection.greeted()


async def test_an_answer_that_was_complete_outlives_its_connection() -> None:
    """A slow reader gets the rest of it although the server has gone."""
    world = World()
    asker, call = world.ask()
    call.pause()
    world.connection.data_received(headers(1, OK, ended=False) + data(1, b"all of it", ended=True))
    world.connection.connection_lost(None)
    assert not asker.ended and asker.error is None

    call.resume()

    assert (asker.body, asker.ended, asker.error) == (b"all of it", True, None)
