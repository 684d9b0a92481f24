"""Real Caddy with ``forward_auth`` to the auth server that says yes. Measured when it is asked for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from chains.chain import Chain, Site
from chains.yes_man import yes_man
from peers.processes import free_port, running
from peers.proxies import IDENTITY_HEADERS


@contextlib.contextmanager
def caddy(site: Site) -> Iterator[Chain]:
    port, folder = free_port(), site.folder
    names = " ".join(name.title() for name in IDENTITY_HEADERS)
    with yes_man(folder / "auth", site.prefix) as auth:
        (folder / "Caddyfile").write_text(f"""
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
    persist_config off
}}
http://:{port} {{
    bind 127.0.0.1
    forward_auth 127.0.0.1:{auth.port} {{
        uri /
        copy_headers {names}
    }}
    reverse_proxy 127.0.0.1:{site.application}
}}
""")
        program = Path(sys.executable).with_name("caddy")
        argv = [*site.prefix, program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        with running(argv, log=folder / "caddy.log", port=port, more=home) as process:
            yield Chain("caddy", {"web": port}, (process.pid, auth.pid))
