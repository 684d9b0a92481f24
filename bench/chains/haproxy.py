"""Real HAProxy as a plain proxy: what forwarding alone costs the fastest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chains.chain import Chain, Site
from peers.processes import free_port, running
from peers.proxies import distributed


@contextlib.contextmanager
def haproxy_plain(site: Site) -> Iterator[Chain]:
    port = free_port()
    (site.folder / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    option forwardfor
    http-reuse always
frontend web
    bind 127.0.0.1:{port} backlog 4096
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    default_backend app
backend app
    server app 127.0.0.1:{site.open_application}
""")
    argv = [*site.prefix, distributed("haproxy", "haproxy"), "-db", "-f", site.folder / "haproxy.cfg"]
    with running(argv, log=site.folder / "haproxy.log", port=port) as process:
        yield Chain("haproxy-plain", {"web": port}, (process.pid,), identity=False)
