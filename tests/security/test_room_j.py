"""Room J: availability. What one client does costs the others nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from peers.processes import alive, descendants, eventually
from security.invariants import Invariants, cpu_seconds, memory
from security.raw import connected, one_response, responses, sent, until_closed
from security.stage import Stage, cookie_line, websocket_lines
from security.test_room_f import Elsewhere, try_password

pytestmark = pytest.mark.timeout(110)
HEAD = b"GET / HTTP/1.1\r\nHost: open.example.test\r\n"


@contextlib.contextmanager
def held(count: int, port: int, data: bytes) -> Iterator[list[socket.socket]]:
    """``count`` connections that have sent ``data`` and wait."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(data)
            connections.append(connection)
        yield connections


def served(stage: Stage) -> float:
    """How long an ordinary request takes, in seconds."""
    begun = time.perf_counter()
    assert stage.reached(stage.ask("open", port=stage.web_port))
    return time.perf_counter() - begun


def closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


# --- slowness -----------------------------------------------------------------------------------------------------


def test_slow_heads_and_slow_bodies_end_and_hinder_nobody(stage: Stage) -> None:
    """Two hundred clients that never finish a head, and as many bodies that stand still: closed in time, all the while
    others are served, the login page included."""
    # S-901, S-902, section 3
    slow_head = HEAD + b"X-Slow: a"
    slow_body = b"POST / HTTP/1.1\r\nHost: open.example.test\r\nContent-Length: 100000\r\n\r\nabc"
    slow_form = b"POST /application/o/token/ HTTP/1.1\r\nHost: auth.example.test\r\nContent-Length: 90000\r\n\r\nabc"
    session = stage.session("app")
    with (
        held(200, stage.web_port, slow_head) as heads,
        held(100, stage.web_port, slow_body) as bodies,
        held(400, stage.web_port, slow_form) as forms,
    ):
        begun = time.monotonic()
        while time.monotonic() - begun < 8:
            assert served(stage) < 1.5
            assert stage.ask("auth", target=b"/if/flow/default-authentication-flow/").status == 200
            assert stage.reached(stage.ask("app", cookie_line(session)))
            for connection in heads[:100]:  # a byte now and then buys no time
                with contextlib.suppress(OSError):
                    connection.sendall(b"b")
            time.sleep(0.5)
        eventually(lambda: all(map(closed, heads)), within=7, what="slow heads are closed")
        eventually(lambda: all(map(closed, [*bodies, *forms])), within=7, what="slow bodies are closed")


def test_a_login_works_while_bodies_stand_still(stage: Stage) -> None:
    """A session that no worker knows is found: the private door is not the public one's."""
    # S-902, S-919
    form = b"POST /application/o/token/ HTTP/1.1\r\nHost: auth.example.test\r\nContent-Length: 90000\r\n\r\nabc"
    with held(600, stage.web_port, form):
        begun = time.monotonic()
        assert stage.logged_in("app2", "mallory")
        assert time.monotonic() - begun < 5


def test_a_reader_that_stops_holds_little(stage: Stage) -> None:
    """An answer without end and a client that does not read it: the application is made to wait, memory stays."""
    # S-902, section 3: 64 KiB in flight
    written = [0]
    stopped = threading.Event()

    def pour(connection: socket.socket, _: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.settimeout(1.5)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                written[0] += 65536
        stopped.set()

    stage.application.acts[b"/pour"] = pour
    before = memory(stage.program.pid)
    with held(4, stage.web_port, HEAD.replace(b"/ ", b"/pour ", 1) + b"\r\n"):
        assert stopped.wait(20), "the application is made to wait"
        assert written[0] < 4 * 12_000_000
        assert memory(stage.program.pid) - before < 20_000


def test_a_handshake_that_stalls_ends(stage: Stage) -> None:
    """Nothing, one byte, half a ClientHello: closed in ten seconds or so."""
    # S-903
    with contextlib.ExitStack() as stack:
        stalled = [
            stack.enter_context(held(20, stage.program.https_port, data))
            for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 40)
        ]
        assert served(stage) < 1.5
        eventually(
            lambda: all(closed(one) for many in stalled for one in many), within=14, what="stalled TLS is closed"
        )


# --- size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"A:b\r\n" * 10_000 + b"\r\n", 431),
        (HEAD + b"Cookie: " + b"a=b;" * 5000 + b"\r\n\r\n", 431),
        (HEAD + b"Cookie: a=" + b"b" * 60_000 + b"\r\n\r\n", 431),
        (HEAD + b'Cookie: a="' + b'\\"' * 7000 + b'"\r\n\r\n', 200),
        (b"GET /?" + b"a&" * 4000 + b" HTTP/1.1\r\nHost: open.example.test\r\n\r\n", 200),
        (b"GET /?" + b"a&" * 50_000 + b" HTTP/1.1\r\nHost: open.example.test\r\n\r\n", 414),
        (HEAD + b"A: " + b"b" * 70_000, 431),
        (b"A" * 70_000, 414),
        (HEAD + b"Connection: " + b"a," * 8000 + b"\r\n\r\n", 200),
        (HEAD + b"X-Forwarded-For: " + b"1.2.3.4," * 1900 + b"\r\n\r\n", 200),
        (HEAD + b"Accept: " + b"text/html;q=0.1," * 1000 + b"\r\n\r\n", 200),
    ],
)
def test_large_heads_cost_little(stage: Stage, data: bytes, status: int) -> None:
    """Answered or refused in milliseconds of work."""
    # S-911, S-925, S-314
    used = []
    for _ in range(5):
        before = cpu_seconds(stage.program.pid)
        with connected(stage.web_port) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            answer = connection.recv(65536)
        assert answer[9:12] == str(status).encode(), answer[:60]
        used.append(cpu_seconds(stage.program.pid) - before)
    assert min(used) < 0.03, used


def test_a_body_in_tiny_chunks_costs_little(stage: Stage) -> None:
    """A hundred thousand chunks of one byte: refused for their overhead, or passed on, at little cost."""
    # S-912, CVE-2023-39326
    head = b"POST / HTTP/1.1\r\nHost: open.example.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    for body in (b"1\r\nx\r\n" * 100_000, b"1;" + b"e" * 200 + b"\r\nx\r\n" * 1, b"000000000000001\r\nx\r\n" * 50_000):
        before = cpu_seconds(stage.program.pid)
        received = sent(stage.web_port, head + body + b"0\r\n\r\n")
        assert received[9:12] in (b"200", b"400")
        assert cpu_seconds(stage.program.pid) - before < 2


def test_many_parts_of_a_form_are_refused(stage: Stage) -> None:
    """A form of 100 000 parts or fields: 4xx, quickly."""
    # S-914
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n\r\n' % number for number in range(12_000)
    )
    for kind, body in (
        (b"multipart/form-data; boundary=x", parts + b"--x--\r\n"),
        (b"application/x-www-form-urlencoded", b"a=b&" * 200_000),
        (b"multipart/form-data; boundary=x", b"x" * 900_000),
    ):
        data = (
            b"POST /application/o/token/ HTTP/1.1\r\nHost: auth.example.test\r\nConnection: close\r\nContent-Type: "
            + kind
        )
        data += b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        before = cpu_seconds(stage.program.pid)
        answer = one_response(sent(stage.web_port, data))
        assert answer.status in (400, 401, 413, 415), answer
        assert cpu_seconds(stage.program.pid) - before < 2


# --- numbers ------------------------------------------------------------------------------------------------------


def test_logins_by_the_hundred_leave_the_rest_alone(stage: Stage) -> None:
    """Wrong passwords in parallel: health and known sessions are answered quickly meanwhile."""
    # S-916
    session = stage.session("app")
    stop = threading.Event()

    def guess(number: int) -> None:
        while not stop.is_set():
            browser = Elsewhere(stage, f"192.0.2.{number}")
            try_password(browser, stage, f"nobody-{number}", "wrong-password")

    with ThreadPoolExecutor(20) as pool:
        for number in range(20):
            pool.submit(guess, number)
        slowest = 0.0
        for _ in range(20):
            begun = time.perf_counter()
            assert stage.program.ask("/-/health/live/").status == 200
            assert stage.reached(stage.ask("app", cookie_line(session)))
            slowest = max(slowest, time.perf_counter() - begun)
        stop.set()
    assert slowest < 1.5, slowest


def test_strangers_leave_nothing_behind(stage: Stage) -> None:
    """A thousand refused requests make no row, neither with short nor with long addresses beyond a fixed number."""

    # S-917, CVE-2015-5143
    def rows() -> dict[str, int]:
        with contextlib.closing(
            sqlite3.connect(f"file:{stage.program.data / 'doorward.sqlite3'}?mode=ro", uri=True)
        ) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}

    before = rows()
    data = b"GET /x HTTP/1.1\r\nHost: " + stage.host("app") + b"\r\nAccept: text/html\r\n\r\n"
    for _ in range(10):
        received = sent(
            stage.program.https_port,
            data * 99 + data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            tls="app.example.test",
        )
        assert {answer.status for answer in responses(received)} == {302}
    after = rows()
    grown = {name: after[name] - before[name] for name in after if after[name] != before.get(name)}
    assert all(count <= 3 for count in grown.values()), grown


def test_the_same_trouble_is_told_once_a_minute(stage: Stage) -> None:
    """Two hundred requests into the same wrong configuration: each has its line, the trouble itself a handful."""
    # S-918
    seen = stage.program.errors.stat().st_size
    for _ in range(100):
        stage.program.ask("/outpost.goauthentik.io/auth/traefik", headers=[("X-Forwarded-Host", "app.example.test")])
        stage.program.ask(
            "/outpost.goauthentik.io/auth/traefik",
            headers=[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "nobody.test"), ("X-Forwarded-Uri", "/")],
        )
    written = stage.program.errors.read_bytes()[seen:]
    about_the_trouble = [line for line in written.splitlines() if b"doorward.outpost.decisions" not in line]
    assert len(about_the_trouble) < 12, written[:3000]


def test_a_slow_auth_server_holds_up_its_own_hosts_only(stage: Stage) -> None:
    """Hundreds wait for it: others are served, and beyond a number the answer is 503."""
    # S-919, S-303
    release = threading.Event()

    def hang(_connection: socket.socket, _request: object) -> None:
        release.wait(8)

    stage.auth_server.acts[b"/auth"] = hang
    asked = b"GET / HTTP/1.1\r\nHost: judged.example.test\r\nConnection: close\r\n\r\n"
    try:
        with held(560, stage.web_port, asked) as waiting:
            time.sleep(0.5)
            assert served(stage) < 1.5
            assert stage.reached(stage.ask("app", cookie_line(stage.session("app"))))
            # Beyond 256 per worker the answer is 503 at once.
            eventually(lambda: sum(closed(connection) for connection in waiting) >= 20, within=6, what="503 for some")
            release.set()
    finally:
        release.set()
        del stage.auth_server.acts[b"/auth"]


def test_idle_connections_cost_what_they_should(stage: Stage) -> None:
    """A thousand that have asked once and stay: little memory each, and it comes back."""
    # S-924
    before = memory(stage.program.pid)
    request = HEAD + b"Cookie: " + b"a=" + b"x" * 4000 + b"\r\n\r\n"
    with held(1000, stage.web_port, request) as connections:
        for connection in connections:
            connection.recv(65536)
        held_memory = memory(stage.program.pid) - before
        assert served(stage) < 1.5
    assert held_memory < 60_000, f"{held_memory} kB for a thousand"
    eventually(lambda: memory(stage.program.pid) - before < 40_000, within=10, what="memory comes back", every=0.5)


def test_endless_reloads_under_load_open_nothing(stage: Stage) -> None:
    """The routes are rewritten while strangers knock: never a 2xx, and never a twin without its middleware."""
    # S-713, S-715, S-220
    routes = stage.folder / "routes.yml"
    text = routes.read_text()
    opened: list[int] = []
    stop = threading.Event()

    def knock() -> None:
        while not stop.is_set():
            opened.append(stage.ask("app", target=b"/secret").status)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(knock)
        for number in range(12):
            for version in (
                text[: len(text) // 2],
                text + f"# {number}\n",
                text.replace("middlewares: [fused]", "middlewares: [missing]"),
            ):
                routes.write_text(version)
                time.sleep(0.12)
        routes.write_text(text)
        eventually(lambda: stage.reached(stage.ask("open")), within=5, what="the routes are back")
        time.sleep(0.5)
        stop.set()
    assert set(opened) <= {302, 401, 503, 404}, set(opened)
    eventually(lambda: stage.ask("app").status == 302, within=5, what="the routes are back")


# --- parts that end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_parts_that_end_under_load_open_nothing(shared_stage: Stage, how: signal.Signals) -> None:
    """Workers and the identity provider end while requests are in flight: strangers never pass, sessions come back."""
    # S-303, S-336, S-712, S-922
    stage = shared_stage
    invariants = Invariants(stage, restarts=True)
    session = stage.fresh_session("app", "bob")
    stop = threading.Event()
    strangers: list[int] = []
    wrong: list[bytes] = []

    def knock() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, AssertionError, IndexError):
                strangers.append(stage.ask("app", target=b"/secret").status)
            with contextlib.suppress(OSError, AssertionError, IndexError):
                answer = stage.ask("app", cookie_line(session))
                if stage.reached(answer) and b"X-authentik-username: bob\r\n" not in answer.body:
                    wrong.append(answer.body)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(knock)
        for _ in range(2):
            before = descendants(stage.program.pid)
            for pid in before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
                time.sleep(0.2)
            eventually(lambda before=before: not any(map(alive, before)), within=20, what="they end")  # type: ignore[misc]
            eventually(lambda: stage.program._answers_ready(), within=30, what="all is back", every=0.2)
        stop.set()
    assert 200 not in strangers
    assert wrong == []
    eventually(lambda: stage.reached(stage.ask("app", cookie_line(session))), within=10, what="the session lives")
    invariants.check()


def test_a_websocket_that_floods_is_made_to_wait(stage: Stage) -> None:
    """Endless frames to an application that does not read: a bounded amount is taken in."""

    # S-915
    def sleepy(connection: socket.socket, _: object) -> None:
        time.sleep(3)

    stage.application.acts[b"/deaf"] = sleepy
    looks = [0]

    def settled() -> bool:
        """What an earlier test killed has come back, and takes no more memory than before."""
        looks.append(memory(stage.program.pid))
        return abs(looks[-1] - looks[-2]) < 500

    eventually(settled, within=30, what="the program is at rest", every=1.0)
    before = looks[-1]
    data = b"\r\n".join((b"POST /deaf HTTP/1.1", b"Host: open.example.test", b"Content-Length: 100000000", b"", b""))
    with connected(stage.web_port) as connection:
        connection.settimeout(1)
        connection.sendall(data)
        taken = 0
        with contextlib.suppress(OSError):
            while taken < 50_000_000:
                taken += connection.send(b"x" * 65536)
        assert taken < 20_000_000, taken
        assert memory(stage.program.pid) - before < 20_000
    with connected(stage.program.https_port, "app.example.test") as connection:
        origin = b"Origin: " + stage.url("app").encode()
        head = (
            b"GET /ws HTTP/1.1",
            b"Host: " + stage.host("app"),
            *websocket_lines(),
            origin,
            cookie_line(stage.session("app")),
            b"",
            b"",
        )
        connection.sendall(b"\r\n".join(head))
        assert connection.recv(65536)[9:12] == b"101"
        for _ in range(2000):
            connection.sendall(b"\x89\x80abcd")  # pings
    assert stage.reached(stage.ask("open"))


def test_the_stop_is_orderly(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In-flight answers finish, WebSockets are told 1001, and nothing is half done."""
    # S-923
    stage = Stage(tmp_path_factory.mktemp("stopping"))
    try:
        stage.start()

        def late(connection: socket.socket, _request: object) -> None:
            time.sleep(1.0)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

        stage.application.acts[b"/slow"] = late
        with (
            connected(stage.web_port) as slow,
            connected(stage.web_port) as tunnel,
        ):
            tunnel.sendall(
                b"\r\n".join((b"GET /ws HTTP/1.1", b"Host: open.example.test", *websocket_lines(), b"", b""))
            )
            assert tunnel.recv(65536)[9:12] == b"101"
            slow.sendall(HEAD.replace(b"/ ", b"/slow ", 1) + b"\r\n")
            time.sleep(0.3)
            assert stage.program.process
            stage.program.process.send_signal(signal.SIGTERM)
            assert one_response(until_closed(slow)).body == b"done"
            assert until_closed(tunnel).endswith(b"\x88\x02\x03\xe9")
        assert stage.program.process.wait(20) == 0
        stage.program.process = None
    finally:
        stage.end()
