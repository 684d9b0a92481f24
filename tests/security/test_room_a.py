"""Room A: HTTP parsing and framing. Bytes on a socket, against the running program with an application behind it."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from security.raw import Response, connected, one_response, responses, sent, until_closed
from security.stage import Stage, cookie_line

pytestmark = pytest.mark.timeout(60)
FOLLOWING = b"GET /following HTTP/1.1\r\nHost: open.example.test\r\n\r\n"


def rejected(stage: Stage, data: bytes, reason: str, statuses: tuple[int, ...] = (400,), *, tls: bool = False) -> None:
    """REJECT(x): one answer, closed, nothing of it and nothing after it reaches anybody; the log says why (S-031)."""
    port = stage.program.https_port if tls else stage.web_port
    seen = stage.program.errors.stat().st_size
    with stage.application.watched() as arrived:
        answer = one_response(sent(port, data + FOLLOWING, tls="open.example.test" if tls else ""))
    assert answer.status in statuses, (data, answer)
    assert answer.first("Connection") == "close", answer
    assert arrived == [], data
    told = stage.program.errors.read_bytes()[seen:].decode()
    assert "http.reject" in told, told
    assert reason in told, (reason, told)
    assert "following" not in told


def head(*lines: bytes, target: bytes = b"/x", method: bytes = b"POST", host: bytes = b"open.example.test") -> bytes:
    return b"\r\n".join((b"%b %b HTTP/1.1" % (method, target), b"Host: " + host, *lines, b"", b""))


# --- where a body ends --------------------------------------------------------------------------------------------

FRAMING = [
    ("S-001", head(b"Content-Length: 6", b"Transfer-Encoding: chunked") + b"0\r\n\r\nG", "cl_te"),
    ("S-001", head(b"Transfer-Encoding: chunked", b"Content-Length: 6") + b"0\r\n\r\nG", "cl_te"),
    (
        "S-002",
        b"POST / HTTP/1.0\r\nHost: open.example.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "te_http10",
    ),
    ("S-003", head(b"Content-Length: 6", b"Content-Length: 5") + b"abcdef", "cl_dup"),
    ("S-003", head(b"Content-Length: 5", b"Content-Length: 6") + b"abcdef", "cl_dup"),
    ("S-004", head(b"Content-Length: 5", b"Content-Length: 5") + b"hello", "cl_dup"),
    ("S-004", head(b"Content-Length: 5, 5") + b"hello", "cl_dup"),
    *(
        ("S-005", head(b"Content-Length: " + value) + b"hello", "cl_syntax")
        for value in (b"+5", b"-5", b"0x5", b"5_0", b"5 5", b"5.0", b"1e1", b"", b"1" * 20, "５".encode(), b"\xb2")
    ),
    *(
        ("S-006", head(b"Transfer-Encoding: " + value) + b"0\r\n\r\n", "te_unknown")
        for value in (
            b"xchunked",
            b"identity",
            b"chunked, identity",
            b"gzip, chunked",
            b'"chunked"',
            b"chunk",
            b"chunked,",
            b",chunked",
            b"chunked;x=1",
            b"",
        )
    ),
    ("S-007", head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", "te_dup"),
    ("S-007", head(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", "te_dup"),
    ("S-008", head(b"Content-Length : 5") + b"hello", "header_name"),
    ("S-008", head(b"Transfer-Encoding\t: chunked") + b"0\r\n\r\n", "header_name"),
    ("S-009", head(b"X-A: one\r\n two"), "obs_fold"),
    ("S-009", b"GET / HTTP/1.1\r\n X-A: one\r\nHost: open.example.test\r\n\r\n", "obs_fold"),
    ("S-010", b"GET / HTTP/1.1\nHost: open.example.test\r\n\r\n", "bare_lf"),
    ("S-010", b"GET / HTTP/1.1\r\nHost: open.example.test\nX-A: b\r\n\r\n", "bare_lf"),
    ("S-010", b"GET / HTTP/1.1\r\nHost: open.example.test\r\n\n", "bare_lf"),
    ("S-011", head(b"X-A: a\rX-B: b"), "bare_cr"),
    *(("S-012", head(b"X-A: a" + bytes([byte]) + b"b"), "header_value") for byte in (0, 1, 8, 11, 12, 14, 31, 127)),
    *(
        ("S-013", head(name + b": x"), "header_name")
        for name in (b"", b"X\xefA", b"X(A", b"X/A", b'X"A', b"X A", b"X@A", "Ｘ".encode())
    ),
    ("S-014", head(b"X-without-colon"), "header_line"),
    ("S-015", head(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n", "header_value"),
    ("S-015", head(b"Transfer-Encoding: \xa0chunked") + b"0\r\n\r\n", "te_unknown"),
    ("S-015", head(b"Transfer-Encoding: chunked\x85") + b"0\r\n\r\n", "te_unknown"),
    ("S-021", b"GET / HTTP/1.1\r\n\r\n", "host_missing"),
    ("S-021", head(b"Host: open.example.test", method=b"GET"), "host_dup"),
    ("S-021", head(b"Host: app.example.test", method=b"GET"), "host_dup"),
    *(
        ("S-022", head(method=b"GET", host=host), "host_syntax")
        for host in (
            b"a b",
            b"user@app.example.test",
            b"app.example.test/x",
            b"app.example.test?x",
            b"app.example.test#x",
            b"app.example.test:80abc",
            b"app.example.test:99999",
            b"",
            b"\xc3\xa4.example.test",
            b"app..example.test",
            b"[::1",
            b"[::1]x",
            b"[fe80::1%25eth0]",
            b"app.example.test:",
            b"-app.example.test",
            b"app.example.test:+80",
        )
    ),
    ("S-023", head(target=b"http://app.example.test/x", method=b"GET"), "authority_mismatch"),
    ("S-024", head(target=b"http://u:p@open.example.test/x", method=b"GET"), "target"),
    ("S-024", head(target=b"https://open.example.test/x", method=b"GET"), "target"),
    ("S-024", head(target=b"ftp://open.example.test/x", method=b"GET"), "target"),
    ("S-026", head(target=b"*", method=b"GET"), "target"),
    *(
        ("S-027", head(target=target, method=b"GET"), "target")
        for target in (b"foo", b"example.test:443", b"/a#b", b"/a\x7fb", b"/a\x01b", b"/a\tb", b"?x", b"http:/x", b"//")
        if target != b"//"
    ),
    ("S-027", b"GET  HTTP/1.1\r\nHost: open.example.test\r\n\r\n", "target"),
    ("S-027", b"GET /a b HTTP/1.1\r\nHost: open.example.test\r\n\r\n", "target"),
    ("S-028", b"GET / http/1.1\r\nHost: open.example.test\r\n\r\n", "version"),
    ("S-028", b"GET / HTTP/1.1x\r\nHost: open.example.test\r\n\r\n", "version"),
    ("S-028", b"GET / HTTP/1.10\r\nHost: open.example.test\r\n\r\n", "version"),
    ("S-028", b"GET /\r\nHost: open.example.test\r\n\r\n", "version"),
    ("S-029", head(method=b"G(T"), "method"),
    ("S-044", head(b"Authorization: Basic YQ==", b"Authorization: Basic Yg=="), "dup_singleton"),
    ("S-044", head(b"Content-Type: text/plain", b"Content-Type: text/html"), "dup_singleton"),
    ("S-044", head(b"Origin: https://a.test", b"Origin: https://b.test"), "dup_singleton"),
    ("S-044", head(b"Sec-WebSocket-Key: a", b"sec-websocket-key: b"), "dup_singleton"),
    ("S-046", b"PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: open.example.test\r\n\r\n", ""),
    ("S-046", b"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c" + b"\x06" * 12, ""),
    ("S-049", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 40, "method"),
]


@pytest.mark.parametrize(("case", "data", "reason"), FRAMING, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(FRAMING)])
def test_what_could_be_read_in_two_ways_is_refused(stage: Stage, case: str, data: bytes, reason: str) -> None:
    """One 400, the connection is closed, and neither the request nor what follows it reaches an application."""
    # S-001 … S-015, S-021 … S-024, S-026 … S-029, S-031, S-044, S-046, S-049, S-052
    statuses = (400, 501) if case == "S-006" else (400,)
    rejected(stage, data, reason, statuses)


@pytest.mark.parametrize("data", [FRAMING[0][1], FRAMING[3][1], FRAMING[28][1]])
def test_tls_changes_nothing_about_that(stage: Stage, data: bytes) -> None:
    """The same inside TLS."""
    # S-001, S-003, S-031
    rejected(stage, data, "", tls=True)


@pytest.mark.parametrize(
    ("data", "statuses", "reason"),
    [
        (head(method=b"CONNECT", target=b"app.example.test:443"), (501,), "connect"),  # S-025
        (head(b"Content-Length: 3", method=b"CONNECT", target=b"app.example.test:443") + b"abc", (501,), "connect"),
        (head(method=b"TRACE"), (405,), "trace"),  # S-030
        (head(method=b"TRACK"), (405,), "trace"),
        (b"GET / HTTP/0.9\r\nHost: open.example.test\r\n\r\n", (505,), "version"),  # S-028
        (b"GET / HTTP/1.2\r\nHost: open.example.test\r\n\r\n", (505,), "version"),
        (b"GET / HTTP/2.0\r\nHost: open.example.test\r\n\r\n", (505,), "version"),
        (b"PRI * HTTP/2.0\r\nHost: open.example.test\r\n\r\n", (505,), "version"),  # not quite the preface of HTTP/2
        (head(method=b"A" * 33), (501,), "method"),  # S-029
        (head(b"Expect: 200-ok"), (417,), "expectation"),  # S-033
        (head(target=b"/" + b"a" * 8192, method=b"GET"), (414,), "request_line"),
        (head(b"X-A: " + b"a" * 16384), (431,), "header_fields"),
        (head(*[b"X-A: b"] * 100), (431,), "header_fields"),
        (head(b"Cookie: " + b"; ".join([b"a=b"] * 201)), (431,), "cookies"),
    ],
)
def test_what_is_not_served_is_said_and_closes(
    stage: Stage, data: bytes, statuses: tuple[int, ...], reason: str
) -> None:
    """Methods, versions, expectations and sizes that are not for us have their own status, and end the connection."""
    rejected(stage, data, reason, statuses)


def test_methods_are_told_apart_by_case(stage: Stage) -> None:
    """``get`` is another method than GET and arrives as what it is."""
    # S-029
    with stage.application.watched() as arrived:
        stage.ask("open", method=b"get")

    assert [request.method for request in arrived] == [b"get"]


def test_options_star_is_answered_here(stage: Stage) -> None:
    """``OPTIONS *`` asks the proxy itself."""
    # S-026
    with stage.application.watched() as arrived:
        data = sent(stage.web_port, b"OPTIONS * HTTP/1.1\r\nHost: open.example.test\r\nConnection: close\r\n\r\n")

    assert one_response(data).status == 204
    assert arrived == []


def test_an_absolute_target_is_handed_on_in_origin_form(stage: Stage) -> None:
    """With the same authority as Host it is an ordinary request, default port or not."""
    # S-023
    for target in (
        b"http://open.example.test/x?y",
        b"http://open.example.test:80/x?y",
        b"HTTP://OPEN.example.test/x?y",
    ):
        with stage.application.watched() as arrived:
            sent(stage.web_port, head(b"Connection: close", target=target, method=b"GET"))
        assert [request.target for request in arrived] == [b"/x?y"]


def test_obs_text_in_other_fields_goes_through_byte_for_byte(stage: Stage) -> None:
    """Only spaces and tabs around a value are white space; HTAB inside stays."""
    # S-012, S-015
    with stage.application.watched() as arrived:
        stage.ask("open", b"X-A: \xa0\xe4\x85\tz \t")

    assert arrived[0].one(b"X-A") == b"\xa0\xe4\x85\tz"


def test_raw_bytes_above_ascii_in_the_path_are_escaped(stage: Stage) -> None:
    """Before anything looks at the path."""
    # S-027
    with stage.application.watched() as arrived:
        stage.ask("open", target=b"/\xc3\xa4?\xff")

    assert [request.target.partition(b"?")[0] for request in arrived] == [b"/%C3%A4"]


# --- chunks -------------------------------------------------------------------------------------------------------

CHUNKED = head(b"Transfer-Encoding: chunked", target=b"/chunked")


@pytest.mark.parametrize(
    "body",
    [
        *(
            size + b"\r\nhello\r\n0\r\n\r\n"
            for size in (b"0x5", b"+5", b"-5", b"5_0", b"", b" 5", b"5 ", b"5\x0b", b"G")
        ),
        b"5" * 17 + b"\r\nhello\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",  # S-017
        b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",  # S-018
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX Y: z\r\n\r\n",  # S-020: a trailer that is no field
        b"5\r\nhello\r\n0\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    ],
)
def test_a_broken_chunk_ends_the_request_on_both_sides(stage: Stage, body: bytes) -> None:
    """The client is answered 4xx and closed; the application never sees a complete request."""
    # S-016, S-017, S-018, S-020
    with stage.application.watched() as arrived:
        answers = responses(sent(stage.web_port, CHUNKED + body + FOLLOWING))

    assert [answer.status for answer in answers] in ([400], [431])
    assert not any(request.complete for request in arrived)
    assert not any(request.target == b"/following" for request in arrived)


@pytest.mark.parametrize(
    "cut", [b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n"]
)
def test_a_body_that_is_cut_off_is_never_complete(stage: Stage, cut: bytes) -> None:
    """The application sees an abort, not a shorter body."""
    # S-019
    seen = stage.program.errors.stat().st_size
    with stage.application.watched() as arrived:
        with connected(stage.web_port) as connection:
            connection.sendall(CHUNKED + cut)
            time.sleep(0.1)
        time.sleep(0.2)

    assert arrived
    assert not any(request.complete for request in arrived)
    assert "http.incomplete" in stage.program.errors.read_bytes()[seen:].decode()


def test_a_sized_body_that_is_cut_off_is_never_complete(stage: Stage) -> None:
    """The same with Content-Length."""
    # S-019
    with stage.application.watched() as arrived:
        with connected(stage.web_port) as connection:
            connection.sendall(head(b"Content-Length: 10") + b"hello")
            time.sleep(0.1)
        time.sleep(0.2)

    assert [request.complete for request in arrived] == [False]


def test_trailers_and_extensions_are_dropped(stage: Stage) -> None:
    """Nothing of them is merged into the fields or handed on."""
    # S-017, S-020
    trailers = (
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\nHost: app.example.test\r\nAuthorization: Basic forged\r\n"
        b"Cookie: forged=1\r\nX-authentik-username: forged\r\nX-Trailer: forged\r\n"
    )
    with stage.application.watched() as arrived:
        answer = one_response(
            sent(
                stage.web_port,
                head(b"Transfer-Encoding: chunked", b"Trailer: X-Trailer", b"Connection: close")
                + b"5;ext=forged\r\nhello\r\n0\r\n"
                + trailers
                + b"\r\n",
            )
        )

    assert answer.status == 200
    assert arrived[0].body == b"hello"
    assert b"forged" not in answer.body


# --- answers that come early, clients that leave ------------------------------------------------------------------


def test_body_bytes_are_never_a_request(stage: Stage) -> None:
    """The application answers before it has read the body; what the client goes on sending is still that body."""

    # S-032
    def early(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        time.sleep(0.3)

    stage.application.acts[b"/early"] = early
    smuggled = b"GET /admin HTTP/1.1\r\nHost: open.example.test\r\n\r\n"
    with stage.application.watched() as arrived, connected(stage.web_port) as connection:
        connection.sendall(head(b"Content-Length: %d" % (len(smuggled) * 20), target=b"/early") + smuggled)
        time.sleep(0.2)
        connection.sendall(smuggled * 19 + FOLLOWING)
        answers: list[Response] = []
        received = b""
        deadline = time.monotonic() + 3
        while len(answers) < 2 and time.monotonic() < deadline:
            connection.settimeout(1)
            try:
                data = connection.recv(65536)
            except TimeoutError:
                break
            if not data:
                break
            received += data
            answers = responses(received)

    assert [request.target for request in arrived if request.target not in (b"/early", b"/following")] == []
    assert answers[0].status == 200


def test_a_stranger_is_not_invited_to_send_a_body(stage: Stage) -> None:
    """``Expect: 100-continue`` without a session: the refusal at once, no 100, closed."""
    # S-033
    for name in ("app", "over"):
        data = b"POST /x HTTP/1.1\r\nHost: " + stage.host(name)
        data += b"\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
        with stage.application.watched() as arrived:
            answer = sent(stage.program.https_port, data, tls=f"{name}.example.test")
        assert not answer.startswith(b"HTTP/1.1 100")
        assert one_response(answer).status in (302, 401)
        assert arrived == []


def ill(answer: bytes) -> bytes:
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX-A: a\nX-B: b\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x02hi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"hello",
        b"",
    ],
)
def test_an_answer_that_is_none_is_a_bad_gateway(stage: Stage, answer: bytes) -> None:
    """Whatever cannot be read in one way only never reaches a client, and that connection is not used again."""
    # S-034
    stage.application.says[b"/ill"] = answer
    got = stage.ask("open", target=b"/ill", port=stage.web_port)

    assert got.status == 502
    assert b"hello" not in got.body
    assert stage.reached(stage.ask("open", port=stage.web_port))


def test_a_bad_chunk_after_the_head_cuts_the_answer(stage: Stage) -> None:
    """Bytes have gone out already: the client must notice that the rest is missing."""
    # S-034
    stage.application.says[b"/ill"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n0\r\n\r\n"
    )
    with connected(stage.web_port) as connection:
        connection.sendall(head(b"Connection: close", target=b"/ill", method=b"GET"))
        data = until_closed(connection)

    assert data.startswith(b"HTTP/1.1 502") or not data.endswith(b"0\r\n\r\n")


def test_surplus_bytes_of_an_answer_are_nobodys(stage: Stage) -> None:
    """A body on HEAD, 204 or 304, or bytes after the end: the next client gets its own answer."""
    # S-035
    stolen = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"
    for path, method, answer in (
        (b"/head", b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + stolen),
        (b"/204", b"GET", b"HTTP/1.1 204 No Content\r\n\r\n" + stolen),
        (b"/304", b"GET", b"HTTP/1.1 304 Not Modified\r\n\r\n" + stolen),
        (b"/more", b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + stolen),
    ):
        stage.application.says[path] = answer
        for _ in range(2):
            data = b"%b %b HTTP/1.1\r\nHost: open.example.test\r\n\r\n" % (method, path)
            data += b"GET /mine HTTP/1.1\r\nHost: open.example.test\r\nConnection: close\r\n\r\n"
            received = sent(stage.web_port, data)
            assert b"stolen" not in received
            got = responses(received, methods=[method.decode()])
            assert got[1].body.startswith(b"GET /mine")


def test_a_client_that_leaves_poisons_no_connection(stage: Stage) -> None:
    """Ten answers are left in the middle while another client asks on: it gets its own, every time."""
    # S-036
    gone = threading.Event()

    def stream(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(b"6\r\nstream\r\n")
                time.sleep(0.01)
        except OSError:
            gone.set()

    stage.application.acts[b"/stream"] = stream
    for _ in range(10):
        gone.clear()
        with connected(stage.web_port) as connection:
            connection.sendall(head(target=b"/stream", method=b"GET"))
            connection.recv(100)
        assert stage.reached(stage.ask("open", port=stage.web_port))
        assert gone.wait(3), "the application's side is closed at once"


def test_h2c_is_not_spoken(stage: Stage) -> None:
    """The upgrade is taken out and the request judged as the HTTP/1.1 that it is."""
    # S-037
    lines = (b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", b"Connection: Upgrade, HTTP2-Settings")
    with stage.application.watched() as arrived:
        for name in ("open", "app"):
            data = b"GET / HTTP/1.1\r\nHost: " + stage.host(name) + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
            with connected(stage.web_port) as connection:
                connection.sendall(data)
                assert b" 101 " not in connection.recv(65536)

    assert all(not {b"upgrade", b"http2-settings", b"connection"} & request.names for request in arrived)
    assert len(arrived) == 1


@pytest.mark.parametrize("target", [b"/%0d%0aSet-Cookie:%20x=1", b"/?%0d%0aSet-Cookie:%20x=1", b"/a?b=%0a%0dx"])
def test_nothing_breaks_out_of_a_location(stage: Stage, target: bytes) -> None:
    """A path or query with escaped line ends is copied into a redirect as it is, or refused."""
    # S-045
    for name in ("app", "over", "auth"):
        answer = stage.ask(name, b"Accept: text/html", target=target)
        assert answer.status in (302, 400, 404)
        assert not any("x=1" in value for value in answer.all("Set-Cookie"))
        assert "\n" not in answer.first("Location")
        assert "\r" not in answer.first("Location")


def test_plain_http_on_the_tls_port_says_nothing(stage: Stage) -> None:
    """No redirect is built from its bytes and nothing of them is repeated."""
    # S-049
    data = sent(stage.program.https_port, b"GET /forged HTTP/1.1\r\nHost: forged.test\r\n\r\n")

    assert b"forged" not in data
    assert b"Location" not in data


def test_every_byte_alone_and_many_requests_at_once(stage: Stage) -> None:
    """A byte per segment and fifty requests in one: the same answers, in order."""
    # S-050
    request = (
        b"POST /bytes HTTP/1.1\r\nHost: open.example.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    request += b"5\r\nhello\r\n0\r\n\r\n"
    data = sent(stage.web_port, [request[i : i + 1] for i in range(len(request))])
    assert one_response(data).body.endswith(b"hello")

    many = b"".join(b"GET /%d HTTP/1.1\r\nHost: open.example.test\r\n\r\n" % number for number in range(49))
    data = sent(stage.web_port, many + b"GET /49 HTTP/1.1\r\nHost: open.example.test\r\nConnection: close\r\n\r\n")
    assert [answer.body.split(b" ")[1] for answer in responses(data)] == [b"/%d" % number for number in range(50)]


def test_the_applications_connection_field_does_not_reach_our_cookies(stage: Stage) -> None:
    """Hop-by-hop removal in the answer touches what is listed and nothing that we add."""
    # S-051
    stage.application.says[b"/hop"] = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Secret, Set-Cookie\r\nX-Secret: forged\r\nSet-Cookie: a=b\r\n"
        b"Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = stage.ask("app", cookie_line(stage.session()), target=b"/hop")

    assert answer.status == 200
    assert answer.all("X-Secret") == []
    assert answer.all("Keep-Alive") == []


def test_what_is_logged_of_a_refused_request_is_its_reason(stage: Stage) -> None:
    """No header value, no escape sequence, a peer address."""
    # S-052
    seen = stage.program.errors.stat().st_size
    sent(stage.web_port, head(b"X-Secret: forged\x1b[31m", b"Bad Name: forged\x00", target=b"/forged\x1b[2J"))
    told = stage.program.errors.read_bytes()[seen:]

    assert b"forged" not in told
    assert b"\x1b" not in told
    assert b"127.0.0.1" in told


# --- the inner hop to the identity provider -----------------------------------------------------------------------


@pytest.mark.parametrize(("case", "data", "reason"), FRAMING[:60:3])
def test_the_identity_provider_gets_the_same_protection(stage: Stage, case: str, data: bytes, reason: str) -> None:
    """Through the proxy and through its own entry point: refused before a second parser sees it."""
    # S-053
    data = data.replace(b"open.example.test", b"auth.example.test")
    for port in (stage.web_port, stage.program.identity_port):
        answer = one_response(sent(port, data + FOLLOWING))
        assert answer.status in (400, 501), (case, data)


def test_only_reframed_requests_reach_the_identity_provider(stage: Stage) -> None:
    """A chunked form with extensions and trailers, pipelined with another request: two answers, both right."""
    # S-053
    first = b"POST /application/o/token/ HTTP/1.1\r\nHost: auth.example.test\r\nTransfer-Encoding: chunked\r\n"
    first += b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    first += b"d;x=y\r\ngrant_type=no\r\n0\r\nHost: evil.test\r\n\r\n"
    second = b"GET /-/health/live/ HTTP/1.1\r\nHost: auth.example.test\r\nConnection: close\r\n\r\n"
    for port in (stage.web_port, stage.program.identity_port):
        answers = responses(sent(port, first + second))
        assert len(answers) == 2
        assert answers[0].status in (400, 401)
        assert b"invalid_client" in answers[0].body or b"unsupported" in answers[0].body


@pytest.mark.parametrize("port", ["web", "identity"])
def test_underscores_are_not_folded_for_the_identity_provider(stage: Stage, port: str) -> None:
    """WSGI spells ``X_Forwarded_Host`` as ``X-Forwarded-Host``: the alias never gets there."""
    # S-053, S-109
    number = stage.web_port if port == "web" else stage.program.identity_port
    data = b"GET /if/flow/default-authentication-flow/ HTTP/1.1\r\nHost: " + stage.host("auth") + b"\r\n"
    data += b"X_Forwarded_Host: evil.test\r\nX_Forwarded_For: 6.6.6.6\r\nContent_Length: 5\r\nConnection: close\r\n\r\n"
    answer = one_response(sent(number, data))

    assert answer.status == 200
    assert b"evil.test" not in answer.body
