"""Our two ends against the ``h2`` package's, and against each other, in memory.

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
    ClientConnection,
    DataReceived,
    Event,
    GoawayReceived,
    RequestReceived,
    ResponseReceived,
    ServerConnection,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)

GET = [(":method", "GET"), (":scheme", "https"), (":authority", "app.test"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


def theirs(client: bool) -> h2.connection.H2Connection:
    config = h2.config.H2Configuration(client_side=client, header_encoding=None)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    return connection


class Application:
    """A shell in small: echoes every request, with back-pressure both ways."""

    def __init__(self, server: ServerConnection) -> None:
        self.server = server
        self.waiting: dict[int, bytes] = defaultdict(bytes)
        self.ended: set[int] = set()
        self.trailers: dict[int, tuple[Header, ...]] = {}

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RequestReceived):
                self.server.inform(event.stream, 103, [(b"Link", b"</x>")])
                self.server.respond(event.stream, 200, [(b"Path", event.head.target), *event.head.headers])
                self._note_end(event.stream, event.ended)
            elif isinstance(event, DataReceived):
                self.waiting[event.stream] += event.data
                self._note_end(event.stream, event.ended)
            elif isinstance(event, TrailersReceived):
                self.trailers[event.stream] = event.headers
                self._note_end(event.stream, True)
            elif isinstance(event, WindowOpened):
                for stream in [event.stream] if event.stream else list(self.waiting):
                    self._send(stream)
            elif isinstance(event, StreamReset):
                self.waiting.pop(event.stream, None)

    def _note_end(self, stream: int, ended: bool) -> None:
        if ended:
            self.ended.add(stream)
        self._send(stream)

    def _send(self, stream: int) -> None:
        data = self.waiting[stream]
        done = stream in self.ended
        trailers = self.trailers.get(stream)
        taken = self.server.send_data(stream, data, ended=done and trailers is None)
        self.server.consume(stream, taken)
        self.waiting[stream] = data[taken:]
        if done and taken == len(data):
            if trailers is not None:
                self.server.send_trailers(stream, trailers)
            del self.waiting[stream]


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


# --- our client ---


class Asking:
    """Our client at ``h2`` as the server, or at our own server."""

    def __init__(self) -> None:
        self.client = ClientConnection(0.0)
        self.server = theirs(client=False)
        self.events: list[Event] = []
        self.asked: list[h2.events.Event] = []
        self.pass_on()

    def pass_on(self) -> None:
        while True:
            said = self.client.take()
            if said:
                self._serve(self.server.receive_data(said))
            answer = self.server.data_to_send()
            if answer:
                self.events += self.client.receive(answer, 0.0)
            if not said and not answer:
                return

    def _serve(self, events: list[h2.events.Event]) -> None:
        for event in events:
            self.asked.append(event)
            if isinstance(event, h2.events.DataReceived):
                self.server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def ask(self, ended: bool) -> int:
        stream = self.client.request(
            method=b"POST",
            scheme=b"https",
            authority=b"app.test",
            target=b"/a?b",
            headers=[(b"Cookie", b"a=b"), (b"X", b"y")],
            ended=ended,
            trailers=True,
        )
        self.pass_on()
        return stream


def test_our_client_at_their_server() -> None:
    """Request, interim response, response, trailers."""
    pair = Asking()
    stream = pair.ask(ended=True)
    request = next(event for event in pair.asked if isinstance(event, h2.events.RequestReceived))
    assert request.headers == [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"app.test"),
        (b":path", b"/a?b"),
        (b"x", b"y"),
        (b"te", b"trailers"),
        (b"cookie", b"a=b"),  # h2 puts cookies last
    ]
    pair.server.send_headers(stream, [(":status", "103"), ("link", "</x>")])
    pair.server.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    pair.server.send_data(stream, b"hello", pad_length=10)
    pair.server.send_headers(stream, [("grpc-status", "0")], end_stream=True)
    pair.pass_on()

    interim, head, body, trailers = pair.events[-4:]
    assert isinstance(interim, ResponseReceived)
    assert isinstance(head, ResponseReceived)
    assert (interim.head.status, head.head.status) == (103, 200)
    assert head.head.headers == ((b"content-type", b"application/grpc"),)
    assert body == DataReceived(stream, b"hello", False)
    assert trailers == TrailersReceived(stream, ((b"grpc-status", b"0"),))


def test_our_client_uploads() -> None:
    """As fast as their windows open, whatever they announce."""
    pair = Asking()
    stream = pair.ask(ended=False)
    data = bytes(200_000)
    while data:
        data = data[pair.client.send_data(stream, data, ended=True) :]
        pair.pass_on()

    assert sum(len(event.data) for event in pair.asked if isinstance(event, h2.events.DataReceived)) == 200_000
    assert any(isinstance(event, h2.events.StreamEnded) for event in pair.asked)


def test_our_client_downloads_with_back_pressure() -> None:
    """Their server stops when we do not take, and goes on when we do."""
    pair = Asking()
    stream = pair.ask(ended=True)
    pair.server.send_headers(stream, [(":status", "200")])
    sent = taken = 0
    while sent < 1 << 20:
        while (room := min(pair.server.local_flow_control_window(stream), 16384)) > 0:
            pair.server.send_data(stream, bytes(room))
            sent += room
        pair.pass_on()
        assert sent - taken == 65536
        pair.client.consume(stream, 40_000)
        taken += 40_000
        pair.pass_on()


def test_their_farewell() -> None:
    """GOAWAY is followed."""
    pair = Asking()
    pair.server.close_connection(last_stream_id=0)
    pair.pass_on()

    assert isinstance(pair.events[-1], GoawayReceived)
    assert pair.client.retired


@given(st.lists(st.tuples(st.binary(max_size=2000), st.booleans(), st.booleans()), max_size=8))
def test_our_two_ends_understand_each_other(messages: list[tuple[bytes, bool, bool]]) -> None:
    """What one side is told to say, the other side hears."""
    client, server = ClientConnection(0.0), ServerConnection(0.0, tls=False)
    application = Application(server)
    heard: list[Event] = []

    def pass_on() -> None:
        while said := client.take():
            application.take(server.receive(said, 0.0))
            heard.extend(client.receive(server.take(), 0.0))

    for content, whole, with_trailers in messages:
        stream = client.request(
            method=b"PUT", scheme=b"http", authority=b"a.test:81", target=b"/x", headers=[(b"x", b"y")], ended=False
        )
        client.send_data(stream, content, ended=whole and not with_trailers)
        if with_trailers:
            client.send_trailers(stream, [(b"t", b"u")])
        elif not whole:
            client.send_data(stream, b"", ended=True)
        pass_on()
        ours = [event for event in heard if getattr(event, "stream", 0) == stream]
        statuses = [event.head.status for event in ours if isinstance(event, ResponseReceived)]
        assert statuses == [103, 200]
        assert b"".join(event.data for event in ours if isinstance(event, DataReceived)) == content
        assert with_trailers == any(isinstance(event, TrailersReceived) for event in ours)
    assert client.open_streams == server.open_streams == 0
