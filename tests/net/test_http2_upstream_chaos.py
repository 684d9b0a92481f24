"""Whatever a server does and in whatever order: every request ends once, nothing is left, and nothing is raised."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.messages.http import Header
from doorward.net.http2_call import Http2Call, Question
from doorward.net.http2_upstream import Http2Upstream
from doorward.net.upstream import UpstreamError
from doorward.wire.http1.response import ReceivedHead
from net.test_http2_upstream import Keeper, Line
from wire.http2 import by_hand

POST = Question(b"POST", b"http", b"app.test", b"/", ())
OK = by_hand.OK
streams = st.integers(0, 4).map(lambda number: 2 * number + 1)
frames = st.one_of(
    st.builds(
        by_hand.headers,
        streams,
        st.sampled_from([OK, [(":status", "103")], [("grpc-status", "0")], [*OK, ("content-length", "3")], []]),
        st.booleans(),
    ),
    st.builds(by_hand.data, streams, st.sampled_from([b"", b"abc", b"x" * 16384]), st.booleans()),
    st.builds(by_hand.rst_stream, streams, st.sampled_from([0, 7, 8, 99])),
    st.builds(by_hand.window_update, st.one_of(st.just(0), streams), st.sampled_from([1, 70_000, 1 << 20])),
    st.builds(by_hand.settings, st.tuples(st.sampled_from([3, 4]), st.sampled_from([0, 1, 100, 70_000]))),
    st.builds(lambda last: by_hand.frame(by_hand.GOAWAY, 0, 0, last.to_bytes(4, "big") + bytes(4)), st.integers(0, 9)),
    st.just(by_hand.frame(by_hand.PING, 0, 0, bytes(8))),
    st.binary(max_size=12),
)
ACTIONS = ("hear", "hear", "hear", "ask", "send", "finish", "pause", "resume", "abandon", "full", "free")
actions = st.lists(
    st.tuples(
        st.sampled_from(
            ["hear", "hear", "hear", "ask", "send", "finish", "pause", "resume", "abandon", "full", "free"]
        ),
        frames,
        st.integers(0, 4),
    ),
    max_size=60,
)


class Asker:
    """Checks that it is treated as promised."""

    def __init__(self) -> None:
        self.endings = 0
        self.final = 0

    def _live(self) -> None:
        assert self.endings == 0, "something came after the end"

    def response_started(self, head: ReceivedHead) -> None:
        self._live()
        assert self.final == 0
        self.final += head.status >= 200

    def response_data(self, data: bytes) -> None:
        self._live()
        assert self.final == 1 and data

    def response_flush(self) -> None:
        self._live()

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        self._live()
        assert self.final == 1

    def response_ended(self) -> None:
        self._live()
        assert self.final == 1
        self.endings += 1

    def response_failed(self, error: UpstreamError) -> None:
        self._live()
        self.endings += 1

    def upstream_full(self) -> None:
        self._live()

    def upstream_ready(self) -> None:
        self._live()


class Crashes(logging.Handler):
    """What a connection would keep to one request, and a test must hear of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


@given(actions)
@settings(deadline=None, max_examples=80)
def test_chaos(course: list[tuple[str, bytes, int]]) -> None:
    """See the module."""
    crashes = Crashes()
    log = logging.getLogger("doorward.net")
    log.addHandler(crashes)
    try:
        asyncio.run(_play(course))
    finally:
        log.removeHandler(crashes)
    assert crashes.seen == []


async def _play(course: list[tuple[str, bytes, int]]) -> None:
    raised: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    line, keeper = Line(), Keeper()
    connection = Http2Upstream(keeper)
    line.protocol = connection
    connection.connection_made(line)
    connection.data_received(by_hand.settings())
    calls: list[tuple[Asker, Http2Call]] = []
    left: set[int] = set()
    for action, sent, number in course:
        if action == "hear":
            if not line.closed:
                connection.data_received(sent)
        elif action == "ask":
            if connection.has_room:
                calls.append((Asker(), connection.call()))
                calls[-1][1].ask(calls[-1][0], POST, complete=bool(number % 2))
        elif action in ("full", "free"):
            connection.pause_writing() if action == "full" else connection.resume_writing()
        elif number < len(calls) and number not in left and calls[number][0].endings == 0:
            call = calls[number][1]
            if action == "abandon":
                left.add(number)
                call.abandon()
            elif action in ("pause", "resume"):
                getattr(call, action)()
            elif not call.request_done:
                call.send(sent or b"x") if action == "send" else call.finish_request()
        if number == 0:
            await asyncio.sleep(0)
    connection.resume_writing()
    for number, (asker, call) in enumerate(calls):
        if number not in left and asker.endings == 0:
            call.resume()
    line.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [asker.endings for number, (asker, _) in enumerate(calls) if number not in left] == [1] * (
        len(calls) - len(left)
    )
    assert connection.idle and keeper.gone_ones
    assert raised == []
