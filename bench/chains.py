"""The chains that are compared. Each answers the same authenticated request with the same upstream behind it.

The peers get the best auth server there is, an nginx that says yes without looking; Doorward really looks.
"""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from playwright.sync_api import sync_playwright

from peers.api import Api
from peers.browser import chromium, log_in, visitor
from peers.processes import free_port, running
from peers.program import PASSWORD, Program
from peers.proxies import IDENTITY_HEADERS, nginx_program

HOST = "app.localhost"
TOKEN = base64.urlsafe_b64encode(bytes(range(256)) * 3).decode()[:970]
"""As long as a real JWT, and as useless."""


@dataclass(frozen=True, slots=True)
class Chain:
    url: str
    host: str
    cookie: str
    pids: tuple[int, ...]
    """Roots of the process trees that are charged: proxy and auth server, not the application."""


@contextlib.contextmanager
def application(folder: Path, prefix: tuple[str, ...]) -> Iterator[int]:
    """The upstream: an nginx with a fixed answer of 34 bytes."""
    with _nginx(folder, "upstream", 'return 200 "hello from the application behind\\n";', prefix) as (port, _):
        yield port


@contextlib.contextmanager
def yes_man(folder: Path, prefix: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """An auth server that answers 200 with the identity headers, whatever it is asked. Port and process id."""
    headers = "".join(
        f"add_header {name} {TOKEN if name.endswith('jwt') else 'a-value-of-some-length'};\n"
        for name in IDENTITY_HEADERS
    )
    with _nginx(folder, "auth", f"{headers}return 200;", prefix) as (port, pid):
        yield port, pid


@contextlib.contextmanager
def doorward(folder: Path, prefix: tuple[str, ...], upstream: int) -> Iterator[Chain]:
    """Our proxy, the outpost fused, a real session."""
    entry = free_port()
    with _program(folder, prefix, entry, upstream) as program:
        cookie = _logged_in(program, folder, entry)
        yield Chain(f"http://127.0.0.1:{entry}/", f"{HOST}:{entry}", cookie, (program.pid,))


@contextlib.contextmanager
def traefik_and_doorward(folder: Path, prefix: tuple[str, ...], upstream: int) -> Iterator[Chain]:
    """Real Traefik in front, our outpost over HTTP, a real session."""
    entry = free_port()
    with _program(folder, prefix, free_port(), upstream) as program:
        address = f"{program.plain}/outpost.goauthentik.io/auth/traefik"
        with _traefik(folder, prefix, entry, address, upstream) as pid:
            cookie = _logged_in(program, folder, entry)
            yield Chain(f"http://127.0.0.1:{entry}/", f"{HOST}:{entry}", cookie, (program.pid, pid))


@contextlib.contextmanager
def traefik(folder: Path, prefix: tuple[str, ...], upstream: int) -> Iterator[Chain]:
    """Real Traefik with ``forwardAuth`` to the yes-man."""
    entry = free_port()
    with (
        yes_man(folder, prefix) as (auth, auth_pid),
        _traefik(folder, prefix, entry, f"http://127.0.0.1:{auth}/", upstream) as pid,
    ):
        yield Chain(f"http://127.0.0.1:{entry}/", HOST, _cookie_like_ours(), (pid, auth_pid))


@contextlib.contextmanager
def nginx(folder: Path, prefix: tuple[str, ...], upstream: int) -> Iterator[Chain]:
    """Real nginx with ``auth_request`` to the yes-man."""
    with yes_man(folder, prefix) as (auth, auth_pid):
        set_headers = "".join(
            f"auth_request_set $v{number} $upstream_http_{name.lower().replace('-', '_')};\n"
            f"proxy_set_header {name} $v{number};\n"
            for number, name in enumerate(IDENTITY_HEADERS)
        )
        location = f"auth_request /auth;\n{set_headers}proxy_pass http://upstream;\n"
        more = f"location = /auth {{ internal; proxy_pass http://auth; proxy_pass_request_body off; {_KEEP} }}"
        pools = f"upstream upstream {{ server 127.0.0.1:{upstream}; keepalive 64; }}\n"
        pools += f"upstream auth {{ server 127.0.0.1:{auth}; keepalive 64; }}\n"
        with _nginx(folder, "proxy", location + _KEEP, prefix, more, pools) as (port, pid):
            yield Chain(f"http://127.0.0.1:{port}/", HOST, _cookie_like_ours(), (pid, auth_pid))


CHAINS = {
    "doorward": doorward,
    "traefik+doorward": traefik_and_doorward,
    "traefik+nginx": traefik,
    "nginx+nginx": nginx,
}

_KEEP = 'proxy_http_version 1.1; proxy_set_header Connection "";'


def _cookie_like_ours() -> str:
    return f"authentik_proxy_0123abcd={'A' * 43}"


@contextlib.contextmanager
def _program(folder: Path, prefix: tuple[str, ...], entry: int, upstream: int) -> Iterator[Program]:
    """``doorward serve`` with one protected route on the plain port ``entry``."""
    program = Program(folder / "doorward", config=folder / "doorward.yml", prefix=prefix)
    (folder / "doorward.yml").write_text(
        dedent(f"""\
        entryPoints:
          web: {{address: "127.0.0.1:{entry}"}}
          identity: {{address: "127.0.0.1:{program.identity_port}"}}
        providers: {{file: {{filename: {folder}/routes.yml}}}}
        identity: {{externalUrl: "http://auth.localhost:{program.identity_port}", data: {program.data}}}
        metrics: {{prometheus: {{entryPoint: identity}}}}
        accessLog: {{filePath: {folder}/access.log}}
        """)
    )
    headers = ", ".join(IDENTITY_HEADERS)
    (folder / "routes.yml").write_text(
        dedent(f"""\
        http:
          routers:
            app: {{rule: Host(`{HOST}`), entryPoints: [web], middlewares: [authentik], service: app}}
          services:
            app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{upstream}"}}]}}}}
          middlewares:
            authentik:
              forwardAuth:
                address: {program.plain}/outpost.goauthentik.io/auth/traefik
                trustForwardHeader: true
                authResponseHeaders: [{headers}]
        """)
    )
    try:
        yield program.start()
        program.stop()
    finally:
        program.end()


def _logged_in(program: Program, folder: Path, entry: int) -> str:
    """Protect the application, log in with a real browser, and take its session cookie."""
    Api(program).protect("bench", f"http://{HOST}:{entry}")
    with (
        sync_playwright() as playwright,
        chromium(playwright, folder / "home", folder / "unused-ca") as browser,
        visitor(browser) as page,
    ):
        page.goto(f"http://{HOST}:{entry}/")
        log_in(page, "akadmin", PASSWORD)
        page.wait_for_url(f"http://{HOST}:{entry}/")
        for cookie in page.context.cookies():
            if cookie["name"].startswith("authentik_proxy_"):
                return f"{cookie['name']}={cookie['value']}"
    raise RuntimeError("the login gave no session cookie")


@contextlib.contextmanager
def _traefik(folder: Path, prefix: tuple[str, ...], entry: int, address: str, upstream: int) -> Iterator[int]:
    headers = ", ".join(IDENTITY_HEADERS)
    (folder / "traefik-routes.yml").write_text(
        dedent(f"""\
        http:
          routers:
            app: {{rule: Host(`{HOST}`), middlewares: [auth], service: app}}
          services:
            app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{upstream}"}}]}}}}
          middlewares:
            auth:
              forwardAuth: {{address: "{address}", trustForwardHeader: true, authResponseHeaders: [{headers}]}}
        """)
    )
    argv = [
        *prefix,
        Path(sys.executable).with_name("traefik"),
        f"--entryPoints.web.address=127.0.0.1:{entry}",
        f"--providers.file.filename={folder}/traefik-routes.yml",
        "--global.checkNewVersion=false",
        "--log.level=ERROR",
    ]
    with running(argv, log=folder / "traefik.log", port=entry) as process:
        yield process.pid


@contextlib.contextmanager
def _nginx(
    folder: Path, name: str, location: str, prefix: tuple[str, ...], more: str = "", outside: str = ""
) -> Iterator[tuple[int, int]]:
    port = free_port()
    home = folder / name
    home.mkdir()
    places = "".join(
        f"{kind}_temp_path {home}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(
        f"daemon off;\nworker_processes 1;\npid {home}/pid;\nerror_log {home}/error.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\nkeepalive_requests 100000000;\n"
        f"default_type text/plain;\n{places}{outside}"
        f"server {{\nlisten 127.0.0.1:{port} backlog=4096;\nlocation / {{\n{location}\n}}\n{more}\n}}\n}}\n"
    )
    argv = [*prefix, nginx_program(), "-p", home, "-c", home / "nginx.conf"]
    with running(argv, log=home / "log", port=port) as process:
        yield port, process.pid
