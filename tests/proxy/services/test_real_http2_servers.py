"""nginx as the server behind: an HTTP/2 of somebody else's, which says goodbye after every few requests."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.messages.routing import ClientTls, Server
from net.certificates import self_signed
from peers.processes import free_port, running
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import get
from proxy.services.fleet import Fleet, balancer

pytestmark = pytest.mark.interop
PAIR = self_signed("app.test")
CONFIGURATION = """\
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 7; client_max_body_size 10m;
  server {{
    listen 127.0.0.1:{clear} http2; listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; root {folder};
    location /said {{ return 200 "$server_protocol $scheme $host $request_method $content_length\n"; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[dict[str, Server]]:
    """By name of the transport."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    clear, tls = free_port(), free_port()
    (tmp_path / "cert.pem").write_text(PAIR.chain_pem)
    (tmp_path / "key.pem").write_text(PAIR.key_pem)
    (tmp_path / "large").write_bytes(bytes(range(256)) * 8192)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, clear=clear, tls=tls))
    with contextlib.ExitStack() as stack:
        stack.enter_context(running([binary, "-c", str(configuration)], log=tmp_path / "nginx.log", port=clear))
        yield {"h2c": Server(f"h2c://127.0.0.1:{clear}"), "TLS": Server(f"https://127.0.0.1:{tls}")}


@pytest.mark.parametrize("transport", ["h2c", "TLS"])
async def test_it_says_goodbye_again_and_again(fleet: Fleet, nginx: dict[str, Server], transport: str) -> None:
    """Every seven requests; of two hundred, twenty at a time and half of them with a body, not one is lost."""
    tls = ClientTls(ca_pem=PAIR.chain_pem, server_name="app.test") if transport == "TLS" else None
    await fleet.serve(balancer("s@file", nginx[transport], tls=tls))
    client = await http2_client(fleet)

    async def ask(number: int) -> tuple[int, bytes]:
        if number % 2:
            reply = await client.get(b"/said")
        else:
            stream = client.ask(b"/said", (b"content-length", b"3"), method=b"POST", ended=False)
            await client.send(stream, b"abc")
            reply = await client.reply(stream)
        return reply.status, bytes(reply.body)

    answers = []
    for start in range(0, 200, 20):
        answers += await asyncio.gather(*(ask(number) for number in range(start, start + 20)))

    scheme = b"https" if tls else b"http"
    gets = [(200, b"HTTP/2.0 " + scheme + b" app.example.test GET \n")] * 100
    posts = [(200, b"HTTP/2.0 " + scheme + b" app.example.test POST 3\n")] * 100
    assert sorted(answers) == sorted(gets + posts)


async def test_a_large_file(fleet: Fleet, nginx: dict[str, Server]) -> None:
    """Two megabytes arrive as they are, and what is asked conditionally is answered so."""
    client = await fleet.serve(balancer("s@file", nginx["h2c"]))

    answer = await client.ask(get(b"/large"))
    (etag,) = answer.values(b"etag")
    again = await client.ask(get(b"/large", b"If-None-Match: " + etag))
    part = await client.ask(get(b"/large", b"Range: bytes=256-511"))

    assert answer.body == bytes(range(256)) * 8192
    assert (again.status, part.status, part.body) == (304, 206, bytes(range(256)))
