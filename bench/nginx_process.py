"""An nginx with a folder of its own: the application, the auth server that says yes, and a peer are such."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from peers.processes import running
from peers.proxies import nginx_program


@contextlib.contextmanager
def nginx_process(folder: Path, http: str, prefix: tuple[str, ...], port: int) -> Iterator[int]:
    """Run nginx with one worker and ``http`` as the contents of its block of that name. Its process id."""
    folder.mkdir(parents=True)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\n"  # our folders are nobody else's
        f"daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n"
        f"worker_rlimit_nofile 20000;\nevents {{ worker_connections 8192; }}\n"
        f"http {{\naccess_log off;\nkeepalive_requests 100000000;\nkeepalive_timeout 1h;\n"
        f"default_type text/plain;\nserver_names_hash_bucket_size 128;\n{places}{http}}}\n"
    )
    argv = [*prefix, nginx_program(), "-p", folder, "-c", folder / "nginx.conf"]
    with running(argv, log=folder / "log", port=port) as process:
        yield process.pid
