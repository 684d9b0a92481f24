"""The identity child as it runs: three sockets, real requests, an orderly end."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import FetchState, IdentityState

SCRIPT = """
import sys
from pathlib import Path
from doorward.identity import bootstrap, server
bootstrap.prepare(bootstrap.Bootstrap())
folder = Path(sys.argv[1])
doors = (folder / "identity.sock", folder / "identity-rpc.sock", folder / "identity-back.sock")
server.serve(*doors, lambda: print("ready", flush=True))
print("stopped", flush=True)
"""


class Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


@pytest.fixture
def child(state_folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "DJANGO_"))},
        "DOORWARD_DATA": str(state_folder),
        "DOORWARD_EXTERNAL_URL": "https://auth.example.test",
    }
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(state_folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def state(connection: Unix) -> IdentityState:
    connection.request("POST", "/rpc/state", msgspec.msgpack.encode(FetchState(-1)))
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Server") is None
    return msgspec.msgpack.decode(answer.read(), type=IdentityState)


def test_all_doors_answer_and_close_in_order(child: subprocess.Popen[str], state_folder: Path) -> None:
    """Pages on one socket, questions on another, the outpost's token requests on the third, all for this user alone;
    SIGTERM ends it without a failure."""
    with (
        contextlib.closing(Unix(state_folder / "identity.sock")) as public,
        contextlib.closing(Unix(state_folder / "identity-rpc.sock")) as private,
        contextlib.closing(Unix(state_folder / "identity-back.sock")) as back,
    ):
        for name in ("identity.sock", "identity-rpc.sock", "identity-back.sock"):
            assert (state_folder / name).stat().st_mode & 0o777 == 0o600  # S-816

        configuration = msgspec.msgpack.decode(state(private).configuration, type=OutpostConfiguration)
        assert configuration.providers == ()
        assert state(private).position > 0  # the connection is kept

        headers = {"Host": "auth.example.test", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        public.request("GET", "/if/flow/default-authentication-flow/", headers=headers)
        answer = public.getresponse()
        assert (answer.status, answer.getheader("Server")) == (200, None)
        answer.read()
        public.request("POST", "/rpc/state", msgspec.msgpack.encode(FetchState(-1)), headers)
        answer = public.getresponse()
        assert answer.status in (403, 404)  # the private app is not behind the public door
        answer.read()
        form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        back.request("POST", "/application/o/token/", b"", form)
        answer = back.getresponse()
        assert answer.status == 401
        assert b"invalid_client" in answer.read()

    child.send_signal(signal.SIGTERM)
    assert child.stdout is not None
    assert child.stdout.readline() == "stopped\n"
    assert child.wait(5) == 0


def test_what_runs_is_finished(child: subprocess.Popen[str], state_folder: Path) -> None:
    """A request that was sent before SIGTERM is answered whole."""  # S-923
    with contextlib.closing(Unix(state_folder / "identity.sock")) as public:
        public.request("GET", "/if/flow/default-authentication-flow/", headers={"Host": "auth.example.test"})
        public.getresponse().read()
        public.request("GET", "/if/flow/default-authentication-flow/", headers={"Host": "auth.example.test"})
        child.send_signal(signal.SIGTERM)

        answer = public.getresponse()

        assert answer.status < 500
        assert answer.read().endswith(b"</html>\n")
    assert child.wait(15) == 0
