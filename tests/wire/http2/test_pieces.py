"""Whatever pieces the bytes arrive in, the same happens; and whatever the bytes are, nothing is raised."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.wire.http2 import ClientConnection, ConnectionFailed, Event, Misuse, RequestReceived, ServerConnection
from wire.http2.by_hand import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GREETING,
    HEADERS,
    PADDED,
    PING,
    POST,
    PREFACE,
    PRIORITY,
    block,
    data,
    frame,
    frames,
    headers,
    rst_stream,
    window_update,
)
from wire.http2.by_hand import settings as settings_frame

CONVERSATION = (
    GREETING
    + settings_frame((4, 1 << 20), (3, 7))
    + headers(1)
    + headers(3, [*POST, ("content-length", "8"), ("cookie", "a=b"), ("cookie", "c=d")], ended=False)
    + frame(PING, 0, 0, b"12345678")
    + data(3, b"abc")
    + frame(DATA, PADDED, 3, b"\x02defgh\0\0")
    + window_update(0, 1000)
    + frame(HEADERS, END_STREAM, 5, block(GET)[:7])
    + frame(CONTINUATION, 0, 5, block(GET)[7:20])
    + frame(CONTINUATION, END_HEADERS, 5, block(GET)[20:])
    + headers(3, [("x-trailer", "y")])
    + headers(7, [*GET, ("UPPER", "x")])
    + frame(PRIORITY, 0, 9, bytes(5))
    + rst_stream(5)
    + frame(0x42, 0, 0, b"?")
    + data(1, b"late")
    + frame(PING, 0, 1, bytes(8))
    + headers(11)
)

ANSWERS = (
    settings_frame()
    + headers(1, [(":status", "103"), ("link", "x")], ended=False)
    + headers(1, [(":status", "200"), ("content-length", "3")], ended=False)
    + data(1, b"abc", ended=True)
    + headers(3, [(":status", "200")], ended=False)
    + data(3, b"x")
    + headers(3, [("grpc-status", "0")])
    + rst_stream(5, 7)
)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def asked(pieces: list[bytes]) -> tuple[list[Event], bytes]:
    """What a server makes of ``pieces``: what happened, and what it says. It takes and answers nothing."""
    server = ServerConnection(0.0, tls=True)
    events = [event for piece in pieces for event in server.receive(piece, 0.0)]
    return events, server.take()


def answered(pieces: list[bytes]) -> tuple[list[Event], bytes]:
    """What a client that has asked three things makes of ``pieces``."""
    client = ClientConnection(0.0)
    for _ in range(3):
        client.request(method=b"GET", scheme=b"http", authority=b"a", target=b"/", headers=[], ended=True)
    client.take()
    events = [event for piece in pieces for event in client.receive(piece, 0.0)]
    return events, client.take()


cut_places = st.lists(st.integers(min_value=0), max_size=30)


@given(cut_places)
def test_a_conversation_does_not_depend_on_segments(cuts: list[int]) -> None:
    """Requests, bodies, trailers, control frames, a broken stream and at last a broken connection, cut anywhere."""
    assert asked(pieces_of(CONVERSATION, cuts)) == asked([CONVERSATION])
    assert answered(pieces_of(ANSWERS, cuts)) == answered([ANSWERS])


def test_byte_by_byte() -> None:
    """The finest cut of all."""
    whole = asked([CONVERSATION])
    answers = answered([ANSWERS])

    assert asked([bytes((byte,)) for byte in CONVERSATION]) == whole
    assert answered([bytes((byte,)) for byte in ANSWERS]) == answers
    assert sum(isinstance(event, RequestReceived) for event in whole[0]) == 3
    assert isinstance(whole[0][-1], ConnectionFailed)
    assert len(answers[0]) == 8


small = st.integers(0, 12)
any_frame = st.builds(
    frame,
    st.integers(0, 10) | st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 9) | st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=40) | st.just(bytes(4)) | st.just(bytes(8)),
)
likely_frame = st.one_of(
    st.builds(headers, small, st.sampled_from([GET, POST, [("a", "b")], []]), st.booleans()),
    st.builds(data, small, st.binary(max_size=10), st.booleans()),
    st.builds(window_update, small, st.sampled_from([0, 1, 65535, 0x7FFFFFFF])),
    st.builds(rst_stream, small),
    st.builds(
        lambda key, value: settings_frame((key, value)), st.integers(0, 9), st.sampled_from([0, 1, 2, 16384, 65536])
    ),
    st.builds(
        lambda flags, stream, cut: frame(HEADERS, flags, stream, block(GET)[:cut]), st.integers(0, 63), small, small
    ),
    st.builds(lambda flags, stream: frame(CONTINUATION, flags, stream, block(GET)), st.sampled_from([0, 4]), small),
)
conversations = st.lists(any_frame | likely_frame, max_size=12).map(b"".join)


@settings(max_examples=400)
@given(conversations, cut_places)
def test_any_frames_do_the_same_in_any_pieces(sent: bytes, cuts: list[int]) -> None:
    """Whether they make sense or not; and what is said about them are whole frames."""
    events, said = asked(pieces_of(GREETING + sent, cuts))

    assert (events, said) == asked([GREETING + sent])
    assert frames(said)
    assert all(not isinstance(event, ConnectionFailed) for event in events[:-1])
    assert answered(pieces_of(settings_frame() + sent, cuts)) == answered([settings_frame() + sent])


@settings(max_examples=300)
@given(st.binary(max_size=300), cut_places)
def test_arbitrary_bytes_raise_nothing(sent: bytes, cuts: list[int]) -> None:
    """On both ends, from the first byte on or after a good beginning."""
    for beginning in (b"", PREFACE, GREETING):
        asked(pieces_of(beginning + sent, cuts))
    for beginning in (b"", settings_frame()):
        answered(pieces_of(beginning + sent, cuts))


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_arbitrary_header_blocks_raise_nothing(blocks: list[bytes]) -> None:
    """Compressed headers are where most of the parsing is."""
    for ended in (END_STREAM, 0):
        sent = b"".join(
            frame(HEADERS, END_HEADERS | ended, 2 * number + 1, content) for number, content in enumerate(blocks)
        )
        asked([GREETING + sent])
        answered([settings_frame() + sent])


Command = tuple[str, int, bytes, bool]
steps = st.lists(
    st.tuples(
        st.sampled_from(["respond", "inform", "data", "trailers", "consume", "reset", "sweep", "shut_down"]),
        st.sampled_from([1, 3, 5, 7]),
        st.binary(max_size=30),
        st.booleans(),
    )
    | likely_frame,
    max_size=20,
)


def obey(server: ServerConnection, command: Command) -> None:
    name, stream, content, ended = command
    if name == "respond":
        server.respond(stream, 200, [(b"x", b"y")], ended)
    elif name == "inform":
        server.inform(stream, 103, [])
    elif name == "data":
        room = server.sendable(stream)
        taken = server.send_data(stream, content, ended)
        assert taken in (len(content), room)
    elif name == "trailers":
        server.send_trailers(stream, [])
    elif name == "consume":
        server.consume(stream, len(content))
    elif name == "reset":
        server.reset(stream)
    elif name == "sweep":
        server.sweep(float(len(content) * 10))
    else:
        server.shut_down()


@settings(max_examples=300)
@given(steps)
def test_any_commands_at_any_time(steps: list[Command | bytes]) -> None:
    """Whatever is commanded while whatever arrives: it is done, or told to be a mistake, and whole frames come out."""
    server = ServerConnection(0.0, tls=True)
    server.receive(GREETING + settings_frame((4, 20)), 0.0)
    for step in steps:
        if isinstance(step, bytes):
            server.receive(step, 0.0)
            continue
        try:
            obey(server, step)
        except Misuse:
            pass
        frames(server.take())
