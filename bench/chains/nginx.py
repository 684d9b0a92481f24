"""Real nginx: with ``auth_request`` to the auth server that says yes, and as a plain proxy without any."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chains.chain import Chain, Site
from chains.yes_man import yes_man
from nginx_process import nginx_process
from peers.processes import free_port
from peers.proxies import IDENTITY_HEADERS

_FORWARDED = """
    proxy_http_version 1.1;
    proxy_set_header Connection $connection_field;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
"""
_MAP = 'client_max_body_size 0;\nmap $http_upgrade $connection_field { default upgrade; "" ""; }\n'


@contextlib.contextmanager
def nginx_with_auth(site: Site) -> Iterator[Chain]:
    ports = {name: free_port() for name in ("web", "websecure", "bulk")}
    with yes_man(site.folder / "auth", site.prefix) as auth:
        identity = "".join(
            f"auth_request_set $v{number} $upstream_http_{name.lower().replace('-', '_')};\n"
            f"proxy_set_header {name} $v{number};\n"
            for number, name in enumerate(IDENTITY_HEADERS)
        )
        question = """location = /auth { internal; proxy_pass http://auth; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; }"""

        def location(upstream: str) -> str:
            return (
                f"location / {{ auth_request /auth; {identity} {_FORWARDED} "
                f"proxy_request_buffering off; proxy_pass http://{upstream}; }} {question}"
            )

        http = f"""{_MAP}
            upstream app {{ server 127.0.0.1:{site.application}; keepalive 512; }}
            upstream bulk {{ server 127.0.0.1:{site.bulk}; keepalive 512; }}
            upstream auth {{ server 127.0.0.1:{auth.port}; keepalive 512; }}
            server {{ listen 127.0.0.1:{ports["web"]} backlog=4096; {location("app")} }}
            server {{ listen 127.0.0.1:{ports["bulk"]} backlog=4096; {location("bulk")} }}
            server {{ listen 127.0.0.1:{ports["websecure"]} ssl http2 backlog=4096; {location("app")}
                ssl_certificate {site.certificate}; ssl_certificate_key {site.key};
                ssl_protocols TLSv1.2 TLSv1.3; http2_max_requests 100000000; }}
        """
        with nginx_process(site.folder / "nginx", http, site.prefix, ports["web"]) as pid:
            yield Chain("nginx", ports, (pid, auth.pid))


@contextlib.contextmanager
def nginx_plain(site: Site) -> Iterator[Chain]:
    port = free_port()
    http = f"""{_MAP}
        upstream app {{ server 127.0.0.1:{site.open_application}; keepalive 512; }}
        server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ {_FORWARDED} proxy_pass http://app; }} }}
    """
    with nginx_process(site.folder / "nginx", http, site.prefix, port) as pid:
        yield Chain("nginx-plain", {"web": port}, (pid,), identity=False)
