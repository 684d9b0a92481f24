"""Rooms A, B, C and J once more over HTTP/2 and TLS: the same program, the same outcomes, other bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pytest

from peers.processes import eventually
from security.invariants import memory
from security.raw_http2 import Http2, http2
from security.stage import FORGED, Stage
from wire.http2.by_hand import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    SETTINGS,
    WEBSOCKET,
    block,
    data,
    frame,
    headers,
    rst_stream,
    window_update,
)

pytestmark = pytest.mark.timeout(60)
ENHANCE_YOUR_CALM, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR = 11, 1, 3, 6


def request(
    stage: Stage, name: str, *more: tuple[str, str], path: str = "/", method: str = "GET"
) -> list[tuple[str, str]]:
    authority = stage.host(name).decode()
    return [(":method", method), (":scheme", "https"), (":path", path), (":authority", authority), *more]


def connection(stage: Stage, name: str) -> AbstractContextManager[Http2]:
    return http2(stage.program.https_port, f"{name}.example.test")


def still_serves(stage: Stage, client: Http2) -> None:
    """What was refused ended a stream and nothing else."""
    assert client.ask(request(stage, "open")).status == 200


# --- room A -------------------------------------------------------------------------------------------------------

AUTHORITY = ":authority"
MALFORMED: list[tuple[str, list[tuple[str, str]], list[str]]] = [
    ("S-038", [("x-a", "a\r\nx-b: c")], []),
    ("S-038", [("x-a", "a\nb")], []),
    ("S-038", [("x-a", "a\0b")], []),
    ("S-038", [("X-A", "b")], []),
    ("S-038", [("x-a", " b")], []),
    ("S-038", [("x-a", "b\t")], []),
    ("S-038", [("x:a", "b")], []),
    ("S-038", [("", "b")], []),
    ("S-038", [("x a", "b")], []),
    ("S-039", [("connection", "close")], []),
    ("S-039", [("proxy-connection", "close")], []),
    ("S-039", [("keep-alive", "1")], []),
    ("S-039", [("transfer-encoding", "chunked")], []),
    ("S-039", [("upgrade", "h2c")], []),
    ("S-039", [("te", "gzip")], []),
    ("S-040", [("content-length", "3")], []),
    ("S-040", [("content-length", "0"), ("content-length", "1")], []),
    ("S-005", [("content-length", "+0")], []),
    ("S-041", [(":path", "/again")], []),
    ("S-041", [(":unknown", "x")], []),
    ("S-041", [("x-a", "b"), (":method", "GET")], []),
    ("S-041", [], [":method"]),
    ("S-041", [], [":path"]),
    ("S-041", [], [":scheme"]),
    ("S-042", [("host", "open.example.test")], []),
    ("S-042", [("host", "a"), ("host", "a")], [AUTHORITY]),
    ("S-021", [], [AUTHORITY]),
    ("S-044", [("authorization", "Basic YQ=="), ("authorization", "Basic Yg==")], []),
    ("S-044", [("origin", "https://a.test"), ("origin", "https://b.test")], []),
    ("S-033", [("expect", "200-ok")], []),
]


@pytest.mark.parametrize(
    ("case", "more", "lacking"), MALFORMED, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(MALFORMED)]
)
def test_a_malformed_request_ends_its_stream(
    stage: Stage, case: str, more: list[tuple[str, str]], lacking: list[str]
) -> None:
    """No application and no auth server hears of it; the connection goes on."""
    # S-005, S-021, S-033, S-038 … S-042, S-044
    fields = [pair for pair in request(stage, "app", *more) if pair[0] not in lacking]
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        answer = client.ask(fields)
        assert answer.refused, (case, answer)
        assert not client.closed
        still_serves(stage, client)

    assert [received.target for received in arrived if received.target != b"/"] == []
    assert len(arrived) == 1


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ({":path": "foo"}, (400,)),
        ({":path": ""}, (400,)),
        ({":path": "/a#b"}, (400,)),
        ({":path": "/a b"}, (400,)),
        ({":path": "/%zz"}, (400,)),
        ({":path": "/a%00b"}, (400,)),
        ({":path": "/a\\b"}, (400,)),
        ({":path": "*"}, (400,)),
        ({":path": "/" + "a" * 8192}, (414,)),
        ({":method": "G(T"}, (400,)),
        ({":method": "TRACE"}, (405,)),
        ({":method": "A" * 33}, (501,)),
        ({":authority": "user@open.example.test"}, (400,)),
        ({":authority": "open.example.test/x"}, (400,)),
        ({":authority": "open.example.test:99999"}, (400,)),
        ({":scheme": "ftp"}, (400,)),
    ],
)
def test_what_is_wrong_in_itself_has_its_status(stage: Stage, values: dict[str, str], statuses: Sequence[int]) -> None:
    """Targets, methods and hosts are judged as in HTTP/1: with a status, or the stream is reset."""
    # S-022, S-024, S-027, S-029, S-030, S-202, S-205, S-206
    fields = [(name, values.get(name, value)) for name, value in request(stage, "open")]
    with stage.application.watched() as arrived, connection(stage, "open") as client:
        answer = client.ask(fields)
        assert answer.reset is not None or answer.status in statuses, answer
        still_serves(stage, client)

    assert len(arrived) == 1


@pytest.mark.parametrize(
    "rest",
    [
        lambda stream: data(stream, b"abcd", ended=True),
        lambda stream: data(stream, b"ab", ended=True),
        lambda stream: data(stream, b"ab") + headers(stream, [("x-trailer", "y")]),
        lambda stream: data(stream, b"ab") + rst_stream(stream),
    ],
    ids=["long", "short", "trailers", "reset"],
)
def test_a_body_of_another_length_is_never_complete(stage: Stage, rest: Callable[[int], bytes]) -> None:
    """What was begun at the application is cut off there."""
    # S-040, S-019
    with stage.application.watched() as arrived, connection(stage, "open") as client:
        stream = client.stream()
        fields = request(stage, "open", ("content-length", "3"), method="POST", path="/length")
        client.send(headers(stream, fields, ended=False), rest(stream))
        still_serves(stage, client)

    assert not any(received.complete for received in arrived if received.target == b"/length")


def test_connect_is_no_tunnel(stage: Stage) -> None:
    """With and without a body."""
    # S-025
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        for body in (b"", b"GET / HTTP/1.1\r\n\r\n"):
            answer = client.ask([(":method", "CONNECT"), (":authority", "app.example.test:443")], body)
            assert answer.refused
        still_serves(stage, client)

    assert len(arrived) == 1


# --- room B -------------------------------------------------------------------------------------------------------

FORGING = tuple(
    (name, FORGED)
    for name in (
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server",
        "x-forwarded-uri", "x-forwarded-method", "x-forwarded-prefix", "x-real-ip", "forwarded", "x-original-url",
        "x-original-uri", "x-rewrite-url", "true-client-ip", "x-client-ip", "cf-connecting-ip", "proxy",
        "x-authentik-username", "x-authentik-groups", "x-authentik-uid", "x-authentik-jwt", "x-authentik-entitlements",
        "x-authentik-new", "x_authentik_username", "x.authentik.username", "x_forwarded_for", "x-doorward-session",
        "x-doorward-consumed", "x-request-id",
    )
)  # fmt: skip


@pytest.mark.parametrize("name", ["app", "over", "judged", "open"])
def test_a_client_cannot_speak_for_proxy_or_outpost(stage: Stage, name: str) -> None:
    """With a session and without: what is not the client's to say does not get through."""
    # S-101, S-108, S-109, S-121, S-125
    cookie = stage.session(name) if name in ("app", "over") else ("none", "none")
    own = ("cookie", f"{cookie[0]}={cookie[1]}")
    with (
        stage.application.watched() as arrived,
        stage.auth_server.watched() as judged,
        connection(stage, name) as client,
    ):
        with_session = client.ask(request(stage, name, ("cookie", "a=1"), own, ("cookie", "b=2"), *FORGING))
        client.ask(request(stage, name, *FORGING))
        client.ask(request(stage, name, *FORGING, path="/health"))

    assert with_session.status == 200
    assert arrived
    for received in [*arrived, *judged]:
        assert not any(value == FORGED.encode() for _, value in received.headers), received.headers
    # S-043: one field, without ours
    expected = b"a=1; b=2" if name in ("app", "over") else b"a=1; none=none; b=2"
    assert [value for field, value in arrived[0].headers if field.lower() == b"cookie"] == [expected]


def test_two_cookies_of_the_session_s_name_are_none(stage: Stage) -> None:
    """Also when they come in fields of their own, as HTTP/2 allows."""
    # S-313, S-043
    name, value = stage.session()
    planted = ("cookie", f"{name}=planted")
    own = ("cookie", f"{name}={value}")
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        for fields in ((own, planted), (planted, own), (planted,)):
            assert client.ask(request(stage, "app", *fields)).status in (302, 401)
        assert client.ask(request(stage, "app", own)).status == 200

    assert len(arrived) == 1


# --- room C -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "received"),
    [
        ("/health/../admin", b"/admin"),
        ("//admin", b"/admin"),
        ("/%61dmin", b"/admin"),
        ("/a/.%2E/admin", b"/admin"),
        ("/a%2Fb%5c%3b%25%3f%23", b"/a%2Fb%5C%3B%25%3F%23"),
        ("/a?b=/../c&d=%2e%2e", b"/a?b=/../c&d=%2e%2e"),
        ("/../../etc/passwd", b"/etc/passwd"),
    ],
)
def test_one_spelling_is_judged_and_received(stage: Stage, path: str, received: bytes) -> None:
    """The auth server is asked about exactly the path that the application gets."""
    # S-201, S-203, S-204, S-205, S-233
    with (
        stage.application.watched() as arrived,
        stage.auth_server.watched() as judged,
        connection(stage, "judged") as client,
    ):
        assert client.ask(request(stage, "judged", path=path)).status == 200

    assert [each.target for each in arrived] == [received]
    assert [each.one(b"X-Forwarded-Uri") for each in judged] == [received]


MISLEADING = ("/health%2f..%2fadmin", "/a%2Fb", "/a%5cb", "/a%3Bb", "/a%25b", "/a%3fb", "/a%23b", "/health/..;/admin")


@pytest.mark.parametrize("path", MISLEADING)
def test_where_rules_open_paths_nothing_ambiguous_passes(stage: Stage, path: str) -> None:
    """400 on both protocols, to strangers and to people with a session, fused and over HTTP."""
    # S-205, S-207
    own = stage.session()
    cookie = ("cookie", f"{own[0]}={own[1]}")
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        assert client.ask(request(stage, "app", path=path)).status == 400
        assert client.ask(request(stage, "app", cookie, path=path)).status == 400
        # The remembered pass of the same fields does not carry it either.
        assert client.ask(request(stage, "app", cookie, path="/before")).status == 200
        assert client.ask(request(stage, "app", cookie, path=path)).status == 400
    assert stage.ask("app", target=path.encode()).status == 400
    assert stage.ask("app", f"Cookie: {own[0]}={own[1]}".encode(), target=path.encode()).status == 400

    assert [received.target for received in arrived] == [b"/before"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PROPFIND", "POST", "DELETE", "get"])
def test_no_method_is_open(stage: Stage, method: str) -> None:
    """Without a session."""
    # S-223
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        assert client.ask(request(stage, "app", method=method)).status in (302, 401)

    assert arrived == []


def test_a_websocket_needs_a_session_and_our_own_pages(stage: Stage) -> None:
    """Extended CONNECT: no session, no tunnel; a session and a hostile page, none either."""
    # S-226, S-227
    own = stage.session()
    cookie = ("cookie", f"{own[0]}={own[1]}")
    authority = stage.host("app").decode()
    handshake = [(name, authority if name == ":authority" else value) for name, value in WEBSOCKET]
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        for more in ((), (("origin", "https://evil.test"), cookie), (("origin", "https://evil.example.test"), cookie)):
            answer = client.ask([*handshake, *more], ended=False)
            assert answer.status in (302, 401, 403), answer

    assert arrived == []


def test_a_challenge_of_an_authority_that_we_are_not(stage: Stage) -> None:
    """An unknown token's path is an ordinary one: behind the login where the host is."""
    # S-231
    with stage.application.watched() as arrived, connection(stage, "app") as client:
        answer = client.ask(request(stage, "app", path="/.well-known/acme-challenge/unknown"))
        assert answer.status in (302, 401)
    assert stage.ask("app", target=b"/.well-known/acme-challenge/unknown").status in (302, 401)

    assert arrived == []


def test_nothing_else_is_offered(stage: Stage) -> None:
    """No HTTP/3."""
    # S-927
    with connection(stage, "open") as client:
        assert client.ask(request(stage, "open")).first("alt-svc") == ""
    assert stage.ask("open").first("Alt-Svc") == ""


# --- room J -------------------------------------------------------------------------------------------------------


def served_meanwhile(stage: Stage) -> None:
    begun = time.monotonic()
    assert stage.ask("open").status == 200
    assert time.monotonic() - begun < 10


FLOODS = {
    "S-904 rapid reset": lambda stage: [
        headers(stream, request(stage, "open")) + rst_stream(stream) for stream in range(1, 20_001, 2)
    ],
    "S-905 zero window update": lambda stage: [
        headers(stream, request(stage, "open", method="POST"), ended=False) + window_update(stream, 0)
        for stream in range(1, 6_001, 2)
    ],
    "S-906 continuation": lambda stage: [
        frame(HEADERS, END_STREAM, 1, block(request(stage, "open"))),
        *[frame(CONTINUATION, 0, 1)] * 2_000,
    ],
    "S-906 continuation with bytes": lambda stage: [
        frame(HEADERS, END_STREAM, 1, block(request(stage, "open"))),
        *[frame(CONTINUATION, 0, 1, block([("x-a", "b" * 16000)]))] * 100,
    ],
    "S-907 ping": lambda stage: [frame(PING, 0, 0, bytes(8))] * 5_000,
    "S-907 settings": lambda stage: [frame(SETTINGS, 0, 0)] * 5_000,
    "S-907 priority": lambda stage: [frame(PRIORITY, 0, 1, b"\0\0\0\3\0")] * 5_000,
    "S-907 window update": lambda stage: [window_update(0, 1)] * 5_000,
    "S-907 unknown": lambda stage: [frame(0x0B, 0, 0, b"?")] * 5_000,
    "S-907 empty data": lambda stage: [
        headers(1, request(stage, "open", method="POST"), ended=False),
        *[frame(DATA, 0, 1)] * 5_000,
    ],
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_ends_its_connection_and_hinders_nobody(stage: Stage, flood: str) -> None:
    """GOAWAY, ENHANCE_YOUR_CALM; the next client is served, and the application was not made to work."""
    # S-904 … S-907
    frames = FLOODS[flood](stage)
    with stage.application.watched() as arrived, connection(stage, "open") as client:
        for start in range(0, len(frames), 200):
            client.send(*frames[start : start + 200])
        client.until_goaway()
        assert client.goaway == ENHANCE_YOUR_CALM, client.goaway
        served_meanwhile(stage)

    assert len(arrived) <= 1_200


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([frame(SETTINGS, 0, 0, b"\x00\x05\x00\x00\x00\x00")], PROTOCOL_ERROR),
        ([frame(SETTINGS, 0, 0, b"\x00\x05\x01\x00\x00\x00")], PROTOCOL_ERROR),
        ([frame(SETTINGS, 0, 0, b"\x00\x04\x80\x00\x00\x00")], FLOW_CONTROL_ERROR),
        ([frame(SETTINGS, 0, 0, b"\x00\x04\x00")], FRAME_SIZE_ERROR),
        ([window_update(0, 0x7FFFFFFF), window_update(0, 0x7FFFFFFF)], FLOW_CONTROL_ERROR),
        ([frame(DATA, 0, 1, bytes(16385))], FRAME_SIZE_ERROR),
    ],
)
def test_what_no_peer_may_say_ends_the_connection(stage: Stage, frames: list[bytes], code: int) -> None:
    """With the code that the standard names."""
    # S-910
    with connection(stage, "open") as client:
        client.send(*frames)
        client.until_goaway()
        assert client.goaway == code
    served_meanwhile(stage)


def test_a_head_that_unpacks_to_more_than_it_weighs(stage: Stage) -> None:
    """One entry of 4 KiB, referred to again and again."""
    # S-908, S-911
    large = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"v" * 4000
    with stage.application.watched() as arrived, connection(stage, "open") as client:
        client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, block(request(stage, "open")) + large + b"\xbe" * 4000))
        answer = client.until(1)
        assert client.goaway == ENHANCE_YOUR_CALM or answer.refused
        served_meanwhile(stage)

    assert len(arrived) == 1


def test_nobody_who_reads_nothing_makes_us_hold_much(stage: Stage) -> None:
    """A hundred streams of large answers and a window that stays shut."""
    # S-909, S-902

    def large(connection: object, _: object) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n"
        for piece in (head, *[bytes(65536)] * 160):
            connection.sendall(piece)  # type: ignore[attr-defined]

    stage.application.acts[b"/large"] = large
    before = memory(stage.program.pid)
    try:
        with connection(stage, "open") as client:
            client.send(*(headers(stream, request(stage, "open", path="/large")) for stream in range(1, 200, 2)))
            eventually(lambda: _read_some(client), within=20, what="the first answers have begun")
            time.sleep(1)
            # 100 × 64 KiB in the streams, what the kernel holds for connections to the application beside it
            assert memory(stage.program.pid) - before < 60_000, "more is held than 60 MB"
            served_meanwhile(stage)
    finally:
        del stage.application.acts[b"/large"]


def _read_some(client: Http2) -> bool:
    client.read()
    return any(answer.status == 200 for answer in client.answers.values())
