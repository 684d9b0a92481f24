"""The fastest auth server that there can be: an nginx that answers 200 with identity fields, whatever it is asked."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chains.chain import USERNAME
from nginx_process import nginx_process
from peers.processes import free_port
from peers.proxies import IDENTITY_HEADERS

TOKEN = base64.urlsafe_b64encode(bytes(range(256)) * 3).decode()[:970]
"""As long as a real JWT, and as useless."""


@dataclass(frozen=True, slots=True)
class YesMan:
    port: int
    pid: int


@contextlib.contextmanager
def yes_man(folder: Path, prefix: tuple[str, ...]) -> Iterator[YesMan]:
    port = free_port()
    values = {"X-authentik-username": USERNAME, "X-authentik-jwt": TOKEN}
    headers = "".join(f"add_header {name} {values.get(name, 'a-value-of-some-length')};\n" for name in IDENTITY_HEADERS)
    http = f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ {headers} return 200; }} }}\n"
    with nginx_process(folder, http, prefix, port) as pid:
        yield YesMan(port, pid)
