"""Our client against the ``h2`` package's server, and against our own, in memory."""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.settings
from hypothesis import given
from hypothesis import strategies as st

from doorward.wire.http2 import (
    ClientConnection,
    DataReceived,
    Event,
    GoawayReceived,
    ResponseReceived,
    ServerConnection,
    TrailersReceived,
)
from wire.http2.echo import Application, theirs

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
