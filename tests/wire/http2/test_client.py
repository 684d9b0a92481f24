"""The client's end: requests go out, responses come in, from servers that may be as hostile as any client."""

from __future__ import annotations

import pytest
from hpack import Decoder

from doorward.wire.http1 import UnsafeField
from doorward.wire.http2 import (
    ConnectionFailed,
    DataReceived,
    ErrorCode,
    GoawayReceived,
    Misuse,
    ResponseReceived,
    SettingsReceived,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)
from wire.http2.by_hand import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    OK,
    PING,
    SETTINGS,
    WINDOW_UPDATE,
    Client,
    Fields,
    Frame,
    data,
    frame,
    frames,
    headers,
    rst_stream,
    settings,
    window_update,
)


def test_the_greeting() -> None:
    """Preface, settings without push, a window for the connection."""
    client = Client()

    assert [found.kind for found in client.own_greeting] == [SETTINGS, WINDOW_UPDATE]
    payload = client.own_greeting[0].payload
    assert payload[:6] == b"\x00\x02\x00\x00\x00\x00"


def test_a_request() -> None:
    """Odd streams, one after the other; connection fields stay here."""
    client = Client()
    assert client.ask() == 1
    assert (
        client.connection.request(
            method=b"POST",
            scheme=b"https",
            authority=b"app.test",
            target=b"/",
            headers=[(b"Connection", b"close"), (b"TE", b"gzip"), (b"Cookie", b"a=b")],
            ended=False,
            trailers=True,
        )
        == 3
    )
    first, second = client.said()
    decoder = Decoder()

    assert decoder.decode(first.payload, raw=True) == [
        (b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"app.test"), (b":path", b"/a?b"), (b"x-a", b"b"),
    ]  # fmt: skip
    assert first.flags == END_HEADERS | END_STREAM
    assert decoder.decode(second.payload, raw=True) == [
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"app.test"), (b":path", b"/"),
        (b"cookie", b"a=b"), (b"te", b"trailers"),
    ]  # fmt: skip
    assert second.flags == END_HEADERS


def test_a_response() -> None:
    """Head, data, end; what concerns two ends of a connection only is not passed on."""
    client = Client()
    client.ask()
    fields: Fields = [*OK, ("content-length", "5"), ("server", "x"), ("trailer", "y"), ("proxy-authenticate", "z")]
    head, body = client.hear(headers(1, fields, ended=False) + data(1, b"hello", ended=True))

    assert isinstance(head, ResponseReceived)
    assert (head.head.status, head.head.headers) == (200, ((b"server", b"x"),))
    assert (head.head.length, head.head.stated_length, head.head.chunked) == (5, 5, False)
    assert not head.ended
    assert body == DataReceived(1, b"hello", True)
    assert client.connection.open_streams == 0


@pytest.mark.parametrize(
    ("method", "fields", "ended", "length", "stated"),
    [
        (b"GET", OK, False, None, None),
        (b"GET", OK, True, 0, 0),
        (b"GET", [*OK, ("content-length", "7")], False, 7, 7),
        (b"HEAD", [*OK, ("content-length", "7")], True, 0, 7),
        (b"HEAD", OK, True, 0, None),
        (b"GET", [(":status", "204")], True, 0, None),
        (b"GET", [(":status", "304"), ("content-length", "7")], True, 0, 7),
    ],
)
def test_lengths(method: bytes, fields: Fields, ended: bool, length: int | None, stated: int | None) -> None:
    """The same facts that a response of HTTP/1 gives."""
    client = Client()
    client.ask(method)
    (event,) = client.hear(headers(1, fields, ended))

    assert isinstance(event, ResponseReceived)
    assert (event.head.length, event.head.stated_length) == (length, stated)


def test_interim_responses_and_trailers() -> None:
    """103 is passed on before the head, trailers after the body."""
    client = Client()
    client.ask()
    sent = headers(1, [(":status", "103"), ("link", "x")], ended=False) + headers(1, OK, ended=False)
    first, second, third, fourth = client.hear(sent + data(1, b"m") + headers(1, [("grpc-status", "0")]))

    assert isinstance(first, ResponseReceived)
    assert isinstance(second, ResponseReceived)
    assert (first.head.status, second.head.status) == (103, 200)
    assert third == DataReceived(1, b"m", False)
    assert fourth == TrailersReceived(1, ((b"grpc-status", b"0"),))
    assert client.connection.open_streams == 0


def test_as_many_streams_as_the_server_takes() -> None:
    """A hundred until it says otherwise; asking for one more is a mistake of ours."""
    client = Client()
    for _ in range(100):
        client.ask()
    assert not client.connection.can_open
    with pytest.raises(Misuse):
        client.ask()
    assert SettingsReceived() in client.hear(settings((3, 101)))
    assert client.connection.can_open
    client.ask()
    client.hear(settings((3, 1)))
    assert not client.connection.can_open


def test_a_request_body() -> None:
    """Within the server's windows, ended by data or by trailers."""
    client = Client()
    client.hear(settings((4, 4)))
    first, second = client.ask(b"POST", ended=False), client.ask(b"POST", ended=False)
    client.connection.take()
    assert client.connection.send_data(first, b"123456", ended=True) == 4
    assert client.hear(window_update(first, 10)) == [WindowOpened(first)]
    assert client.connection.send_data(first, b"56", ended=True) == 2
    client.connection.send_trailers(second, [(b"x", b"y")])

    assert [(f.kind, f.stream, f.flags & END_STREAM) for f in client.said()] == [
        (DATA, first, 0),
        (DATA, first, END_STREAM),
        (HEADERS, second, END_STREAM),
    ]
    with pytest.raises(Misuse):
        client.connection.send_data(first, b"more")


def test_an_answer_before_the_question_has_ended() -> None:
    """The request may go on until the server resets it, which is no failure then."""
    client = Client()
    client.ask(b"POST", ended=False)
    events = client.hear(headers(1, [(":status", "413")]) + rst_stream(1, 0))

    assert isinstance(events[0], ResponseReceived)
    assert events[0].ended
    assert events[1] == StreamReset(1, ErrorCode.NO_ERROR, "", by_peer=True)
    assert client.connection.send_data(1, b"more") == 4


def test_what_arrived_can_be_taken_after_the_end() -> None:
    """The connection's window stays as narrow as what is held, even if the stream is over."""
    client = Client()
    for _ in range(16):
        stream = client.ask()
        client.hear(headers(stream, OK, False) + data(stream, bytes(16384)) * 3 + data(stream, bytes(16384), True))
    client.connection.take()
    assert client.connection.open_streams == 0
    assert not client.connection.failed
    for stream in range(1, 17, 2):
        client.connection.consume(stream, 65535)
    assert client.said() == []
    client.connection.consume(1, 1)
    client.connection.consume(1, 1)
    client.connection.reset(3)
    for stream in range(5, 17, 2):
        client.connection.consume(stream, 9)

    assert [(found.stream, found.number) for found in client.said()] == [(0, 1 << 19)]


def test_refused_streams_may_be_tried_elsewhere() -> None:
    """A GOAWAY says which were not looked at; the others go on."""
    client = Client()
    client.ask(), client.ask(), client.ask()
    events = client.hear(frame(GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0"))

    assert events == [
        GoawayReceived(1, 0),
        StreamReset(3, ErrorCode.REFUSED_STREAM, "goaway", by_peer=True),
        StreamReset(5, ErrorCode.REFUSED_STREAM, "goaway", by_peer=True),
    ]
    assert client.connection.retired
    assert isinstance(client.hear(headers(1, OK))[0], ResponseReceived)


def test_a_websocket() -> None:
    """By extended CONNECT, where the server said that it takes one (RFC 8441)."""
    client = Client()
    assert not client.connection.peer.connect_protocol
    client.hear(settings((8, 1)))
    assert client.connection.peer.connect_protocol
    client.connection.take()
    stream = client.ask(ended=False, protocol=b"websocket")
    (head,) = client.said()
    assert Decoder().decode(head.payload, raw=True)[:5] == [
        (b":method", b"CONNECT"), (b":scheme", b"http"), (b":authority", b"app.test"), (b":path", b"/a?b"),
        (b":protocol", b"websocket"),
    ]  # fmt: skip
    events = client.hear(headers(stream, OK, ended=False) + data(stream, b"frames"))
    client.connection.send_data(stream, b"frames")

    assert events[1] == DataReceived(stream, b"frames", False)


@pytest.mark.parametrize("name", ["method", "scheme", "authority", "target"])
@pytest.mark.parametrize("value", [b"", b"a b", b"a\r\nb", b"a\0"])
def test_unsafe_requests_are_not_written(name: str, value: bytes) -> None:
    """Nothing is sent, and no stream is used up."""  # S-045
    client = Client()
    wrong = {"method": b"GET", "scheme": b"http", "authority": b"a", "target": b"/", name: value}
    with pytest.raises(UnsafeField):
        client.connection.request(**wrong, headers=[], ended=True)  # type: ignore[arg-type]

    assert client.said() == []
    assert client.ask() == 1


def test_resets_by_a_server_cost_it_nothing() -> None:
    """We ask as often as we like: that streams fail is no attack on us."""
    client = Client()
    for _ in range(3000):
        stream = client.ask()
        client.hear(rst_stream(stream, 7))
        client.connection.take()

    assert client.connection.can_open


def test_control_frames_of_a_server_are_bounded() -> None:
    """A server that only pings is no server."""  # S-907
    client = Client()
    client.hear(frame(PING, 0, 0, bytes(8)) * 999)
    assert frames(client.connection.take())[0] == Frame(PING, ACK, 0, bytes(8))
    events = client.hear(frame(PING, 0, 0, bytes(8)))

    assert isinstance(events[0], ConnectionFailed)
