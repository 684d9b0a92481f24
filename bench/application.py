"""The application behind every proxy: an nginx that answers only requests that came the right way.

The guard is what makes a figure worth something: a request without the identity fields, with another name in them,
or without the forwarding fields is answered 403, and load generators count that as a failure. So what is verified
is every single request of a run. ``Counted`` tells how many requests arrived over how many connections: whether all
of them got this far, and whether connections were kept.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chains.chain import HOST, USERNAME
from nginx_process import nginx_process
from pattern import pattern
from peers.processes import free_port
from peers.proxies import IDENTITY_HEADERS
from peers.questions import ask

BODY = b"hello from the application behind\n"
FILES = {"1m": 1 << 20, "100m": 100 << 20}
"""Name and size in bytes of what lies under ``/files/``."""
SHOWN = (*IDENTITY_HEADERS, "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Cookie", "Host")


@dataclass(frozen=True, slots=True)
class Counted:
    """What nginx counted since it started."""

    connections: int
    requests: int


@dataclass(frozen=True, slots=True)
class Application:
    """The running nginx."""

    port: int
    open_port: int
    """The same, for proxies that know of no identity: only the forwarding fields must be there."""

    def counted(self) -> Counted:
        """All connections and requests but those of this question and those before it."""
        text = ask(f"http://127.0.0.1:{self.port}/counted").text
        accepted, _, requests = map(int, re.search(r"^ (\d+) (\d+) (\d+) $", text, re.MULTILINE).groups())  # type: ignore[union-attr]
        return Counted(accepted - 1, requests - 1)


@contextlib.contextmanager
def application(folder: Path, prefix: tuple[str, ...]) -> Iterator[Application]:
    port, open_port = free_port(), free_port()
    files = folder / "files"
    files.mkdir(parents=True)
    for name, size in FILES.items():
        (files / name).write_bytes(pattern(size))
    shown = "".join(f"{name}: {_variable(name)}\\n" for name in SHOWN)
    places = f"""
        location / {{ if ($proven = 0) {{ return 403 "$proof\\n"; }} return 200 "{BODY.decode().strip()}\\n"; }}
        location = /seen {{ return 200 "{shown}"; }}
        location /files/ {{ if ($proven = 0) {{ return 403; }} root {folder}; }}
        location = /counted {{ stub_status; }}
    """
    forwarded = "$http_x_forwarded_for|$http_x_forwarded_proto|$http_x_forwarded_host"
    http = f"""
        map $server_port $who {{ {port} "$http_x_authentik_username|$http_x_authentik_jwt"; default "{USERNAME}|x"; }}
        map "$who|{forwarded}" $proof {{ default "$who|{forwarded}"; }}
        map $proof $proven {{ default 0; "~^{USERNAME}\\|[^|]+\\|127\\.0\\.0\\.1\\|https?\\|{re.escape(HOST)}$" 1; }}
        sendfile on;
        server {{ listen 127.0.0.1:{port} backlog=4096; {places} }}
        server {{ listen 127.0.0.1:{open_port} backlog=4096; {places} }}
    """
    with nginx_process(folder / "nginx", http, prefix, port):
        yield Application(port, open_port)


def _variable(name: str) -> str:
    return "$http_" + name.lower().replace("-", "_")
