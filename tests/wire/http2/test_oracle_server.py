"""Our server against the ``h2`` package's client, in memory.

``h2`` checks of its own what we send: states, windows, field rules, header compression.
"""

from __future__ import annotations

from collections import defaultdict

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.messages.http import Header
from doorward.wire.http2 import (
    ServerConnection,
)
from wire.http2.echo import Application, theirs

GET = [(":method", "GET"), (":scheme", "https"), (":authority", "app.test"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


class Pair:
    """``h2`` as the client of our server."""

    def __init__(self) -> None:
        self.client = theirs(client=True)
        self.server = ServerConnection(0.0, tls=True)
        self.application = Application(self.server)
        self.heads: dict[int, list[Header]] = {}
        self.interim: list[int] = []
        self.bodies: dict[int, bytes] = defaultdict(bytes)
        self.trailers: dict[int, list[Header]] = {}
        self.ended: list[int] = []
        self.pass_on()

    def pass_on(self) -> None:
        """Let both sides talk until neither has anything to say."""
        while True:
            said = self.client.data_to_send()
            if said:
                self.application.take(self.server.receive(said, 0.0))
            answer = self.server.take()
            if answer:
                self._note(self.client.receive_data(answer))
            if not said and not answer:
                return

    def _note(self, events: list[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.ResponseReceived):
                self.heads[event.stream_id] = event.headers
            elif isinstance(event, h2.events.InformationalResponseReceived):
                self.interim.append(event.stream_id)
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                self.client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                self.trailers[event.stream_id] = event.headers
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.append(event.stream_id)

    def upload(self, stream: int, data: bytes) -> None:
        """All of ``data``, as fast as our server opens its windows."""
        while data:
            room = min(self.client.local_flow_control_window(stream), self.client.max_outbound_frame_size, len(data))
            assert room > 0, "the server does not open its window"
            self.client.send_data(stream, data[:room])
            data = data[room:]
            self.pass_on()


def test_requests_on_one_connection() -> None:
    """Fields, paths and bodies arrive as sent; header compression stays in step over many requests."""
    pair = Pair()
    for number in range(50):
        stream = 2 * number + 1
        fields = [*GET[:3], (":path", f"/{number % 7}?q={number}"), ("user-agent", "h2"), ("x-n", str(number))]
        pair.client.send_headers(stream, fields, end_stream=True)
        pair.pass_on()
        assert pair.heads[stream] == [
            (b":status", b"200"),
            (b"path", b"/%d?q=%d" % (number % 7, number)),
            (b"user-agent", b"h2"),
            (b"x-n", b"%d" % number),
        ]
    assert pair.ended == pair.interim == list(range(1, 100, 2))


@pytest.mark.parametrize("size", [1, 65535, 65536, 1 << 20, 3 << 20])
def test_bodies_both_ways(size: int) -> None:
    """Echoed through both windows, without a byte lost."""
    pair = Pair()
    data = bytes(range(256)) * (size // 256 + 1)
    pair.client.send_headers(1, POST)
    pair.pass_on()
    pair.upload(1, data[:size])
    pair.client.end_stream(1)
    pair.pass_on()

    assert pair.bodies[1] == data[:size]
    assert pair.ended == [1]


def test_trailers_both_ways() -> None:
    """As gRPC uses them."""
    pair = Pair()
    pair.client.send_headers(1, [*POST, ("te", "trailers")])
    pair.client.send_data(1, b"\0\0\0\0\5hello")
    pair.client.send_headers(1, [("grpc-status", "0"), ("grpc-message", "fine")], end_stream=True)
    pair.pass_on()

    assert pair.bodies[1] == b"\0\0\0\0\5hello"
    assert pair.trailers[1] == [(b"grpc-status", b"0"), (b"grpc-message", b"fine")]


def test_many_streams_share_a_window() -> None:
    """A hundred uploads and downloads at once: all of them end."""
    pair = Pair()
    streams = list(range(1, 200, 2))
    for stream in streams:
        pair.client.send_headers(stream, POST)
    pair.pass_on()
    for stream in streams:
        pair.upload(stream, bytes([stream]) * 40_000)
    for stream in streams:
        pair.client.end_stream(stream)
    pair.pass_on()

    assert pair.ended == streams
    assert all(pair.bodies[stream] == bytes([stream]) * 40_000 for stream in streams)


def test_settings_that_change() -> None:
    """Small windows, large frames, no table: our server follows."""
    pair = Pair()
    codes = h2.settings.SettingCodes
    pair.client.update_settings(
        {codes.INITIAL_WINDOW_SIZE: 100, codes.MAX_FRAME_SIZE: 20000, codes.HEADER_TABLE_SIZE: 0}
    )
    pair.client.send_headers(1, POST)
    pair.pass_on()
    pair.upload(1, b"x" * 50_000)
    pair.client.end_stream(1)
    pair.pass_on()

    assert pair.bodies[1] == b"x" * 50_000


actions = st.lists(
    st.tuples(
        st.sampled_from(["ask", "send", "end", "reset", "window", "settings", "ping"]),
        st.integers(0, 5),
        st.integers(0, 40_000),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(actions)
def test_any_good_client_is_served(steps: list[tuple[str, int, int]]) -> None:
    """A client that keeps the rules meets no error, and gets back what it sent; ``h2`` checks every window."""
    pair = Pair()
    open_streams: dict[int, bytes] = {}
    following = 1
    for action, which, size in steps:
        stream = list(open_streams)[which % len(open_streams)] if open_streams else 0
        if action == "ask":
            pair.client.send_headers(following, POST)
            open_streams[following] = b""
            following += 2
        elif action == "settings":
            pair.client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: size})
        elif action == "ping":
            pair.client.ping(b"12345678")
        elif stream and action == "send":
            data = bytes([which]) * min(size, pair.client.local_flow_control_window(stream), 16384)
            pair.client.send_data(stream, data)
            open_streams[stream] += data
        elif stream and action == "end":
            pair.client.end_stream(stream)
            pair.pass_on()
            if pair.client.remote_settings.initial_window_size and stream in pair.ended:
                assert pair.bodies[stream] == open_streams[stream]
            del open_streams[stream]
        elif stream and action == "reset":
            pair.client.reset_stream(stream)
            del open_streams[stream]
        elif stream and action == "window":
            pair.client.increment_flow_control_window(size + 1, stream)
        pair.pass_on()
    assert not pair.server.failed
