"""Room I: storage, secrets, keys. What lies on the disk, who may read it, and what happens when it fails."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from peers.processes import descendants, eventually
from security.invariants import check_secrets
from security.raw import one_response
from security.stage import BOB, Stage, cookie_line

pytestmark = pytest.mark.timeout(90)


def files(stage: Stage) -> list[Path]:
    return [path for path in stage.program.data.rglob("*") if path.is_file()]


def test_nobody_else_can_read_the_state(stage: Stage) -> None:
    """The folder and its folders are 0700, every file with a secret 0600, the sockets 0600."""
    # S-807, S-815, S-816, S-053
    for path in (stage.program.data, *stage.program.data.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_dir():
            assert mode == 0o700, (path, oct(mode))
        elif path.suffix not in (".yml", ".pem") and not path.name.endswith(("-shm", "-wal")):
            assert mode == 0o600, (path, oct(mode))
        elif not path.name.endswith(".yml"):
            assert mode & 0o077 == 0, (path, oct(mode))
    sockets = [path for path in (stage.program.data / "run").rglob("*") if path.is_socket()]
    assert len(sockets) >= 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in sockets)


def test_nothing_on_the_disk_is_a_secret_in_the_clear(stage: Stage) -> None:
    """No password, token, cookie value, client secret or session id stands in the database or beside it."""
    # S-803, I5
    session = stage.session("app")
    stage.secrets |= {session[1], BOB}
    login = stage.known().cookie("auth.example.test", "__Host-doorward_login")[1]
    stage.secrets.add(login)
    for path in files(stage):
        data = path.read_bytes()
        for secret in stage.secrets:
            assert secret.encode() not in data, (path.name, secret[:6])
        if path.parent.name != "ca":
            assert b"PRIVATE KEY" not in data, path.name
    key = bytes.fromhex((stage.program.data / "secret.key").read_text().strip())
    assert len(key) >= 32
    for path in files(stage):
        assert path.name == "secret.key" or key not in path.read_bytes(), path


def test_the_database_is_kept_as_it_must_be(stage: Stage) -> None:
    """Write-ahead log, hashes of the right kind, and nothing left over from a failed foreign key."""
    # S-807, S-803
    connection = sqlite3.connect(f"file:{stage.program.data / 'doorward.sqlite3'}?mode=ro", uri=True)
    with connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        hashes = [row[0] for row in connection.execute("SELECT password FROM directory_user")]
        assert any(text.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$") for text in hashes)
        assert all(text.startswith(("argon2$argon2id$", "!")) for text in hashes), "nothing weaker"
    connection.close()


def test_arguments_and_environments_hold_no_secret(stage: Stage) -> None:
    """What other users of the machine can see of a process, and what it hands to its children."""
    # S-818, I5
    for pid in (stage.program.pid, *descendants(stage.program.pid)):
        for name in ("cmdline", "environ"):
            data = Path(f"/proc/{pid}/{name}").read_bytes()
            for secret in stage.secrets:
                assert secret.encode() not in data, (pid, name)
            assert b"BOOTSTRAP" not in data


def test_what_was_said_so_far_holds_no_secret(stage: Stage) -> None:
    """The output of everything that the other tests did."""
    # S-802, I5
    check_secrets(stage, everything=True)


# --- the private door ---------------------------------------------------------------------------------------------


def rpc(stage: Stage, name: str, body: bytes, *, method: str = "POST") -> int:
    """The status of a private question."""
    head = f"{method} /rpc/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    data = b""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(10)
        (private,) = (stage.program.data / "run").rglob("identity-rpc.sock")
        door.connect(str(private))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have refused by then
            door.sendall(head.encode() + body)
        with contextlib.suppress(ConnectionResetError):
            while piece := door.recv(65536):
                data += piece
    return one_response(data).status if data else 413


QUESTIONS = ("find-session", "create-session", "end-session", "end-subject", "keep-url", "take-url", "report", "state")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_malformed_private_question_is_an_answer_and_no_crash(stage: Stage, name: str) -> None:
    """Cut, nested, huge, of another type: 400 or 413, and the next question is answered."""
    # S-922, S-808
    deep = b"\x91" * 5000
    for body in (
        b"",
        b"\xc1",
        b"\xff" * 100,
        b"\x81",
        deep,
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\xa1a",
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({"id_hash": "x", "provider": "y"}),
        msgspec.msgpack.encode(None),
        msgspec.msgpack.encode({"since": "x"}),
        msgspec.msgpack.encode([b"x" * 32, 2**63]),
        msgspec.msgpack.encode({"id_hash": b"", "provider": -1}),
        msgspec.msgpack.encode([b"\x00" * 100_000, 1]),
        msgspec.msgpack.encode({"key": "\x00", "url": "\x00"}),
    ):
        assert rpc(stage, name, body) in (200, 204, 400, 404, 409, 410), (name, body[:20])
    assert rpc(stage, name, b"x" * (1 << 20) + b"x") in (400, 413)
    assert rpc(stage, name, b"", method="GET") == 405
    assert rpc(stage, "state", msgspec.msgpack.encode({"since": 1 << 40})) in (200, 400)
    assert stage.reached(stage.ask("app", cookie_line(stage.session("app"))))


def test_unknown_private_questions_are_not_there(stage: Stage) -> None:
    """And the public pages are not behind the private door, nor the private ones behind the public."""
    for name in ("", "x", "find-session/", "../if/user/", "FIND-SESSION"):
        assert rpc(stage, name, b"") == 404
    for port in (None, stage.program.identity_port):
        answer = stage.ask("auth", target=b"/rpc/find-session", method=b"POST", port=port)
        assert answer.status in (403, 404)


def test_one_state_makes_one_session(stage: Stage) -> None:
    """Twenty callbacks at once with one state: one login."""
    # S-805, S-310
    from security.test_room_d import Begun

    for _ in range(3):
        begun = Begun(stage, "app2", "mallory")
        cookies = dict(begun.visitor.cookies["app2.example.test"])

        def come_back(_: int, cookies: dict[str, str] = cookies, url: str = begun.url) -> int:
            visitor = stage.visitor()
            visitor.cookies["app2.example.test"] = dict(cookies)
            return visitor.get(url).status

        with ThreadPoolExecutor(10) as pool:
            outcomes = list(pool.map(come_back, range(20)))
        assert sorted(outcomes) == [302] + [400] * 19, outcomes


# --- when the database does not answer ----------------------------------------------------------------------------


def test_a_locked_database_closes_and_opens_again(stage: Stage) -> None:
    """503 within a few seconds for whoever needs a write; known sessions go on; nothing is handed out unstored."""
    # S-806
    session = stage.session("app")
    assert stage.reached(stage.ask("app", cookie_line(session)))
    from security.test_room_d import Begun

    begun = Begun(stage, "app2", "bob")
    connection = sqlite3.connect(stage.program.data / "doorward.sqlite3", isolation_level=None, timeout=10)
    connection.execute("BEGIN IMMEDIATE")
    try:
        assert stage.reached(stage.ask("app", cookie_line(session)))
        began = time.monotonic()
        answer = begun.visitor.get(begun.url)
        assert answer.status == 503, answer.status
        assert time.monotonic() - began < 8
        page = stage.visitor().get(f"{stage.url('auth')}/if/flow/default-authentication-flow/")
        assert page.status in (200, 503)
    finally:
        connection.execute("ROLLBACK")
        connection.close()
    eventually(lambda: stage.fresh_session("app2", "bob"), within=15, what="logins work again")
    stage.expected_trouble = "database is locked"


def test_temporary_names_are_not_guessable(stage: Stage) -> None:
    """Nothing of ours lies in the shared temporary folder under a name that others could have taken."""
    # S-816
    pids = {stage.program.pid, *descendants(stage.program.pid)}
    shared = Path("/tmp")
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            path = Path(target)
            if path.is_relative_to(shared) and not path.is_relative_to(stage.folder.parent.parent):
                assert not path.exists() or stat.S_IMODE(path.parent.stat().st_mode) == 0o700, target
