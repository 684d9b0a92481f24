"""Real proxies in front, configured the way people configure them for authentik's outpost, and whoami behind."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

import yaml

from doorward.assembly import local_ca
from peers.manuals import from_page
from peers.processes import eventually, free_port, running
from peers.program import DOORWARD, Program
from peers.questions import ask

IDENTITY_HEADERS = (
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-app",
    "X-authentik-meta-version",
)
"""The eleven that people list."""
AS_IT_SHOULD_BE: Mapping[str, str] = {}
"""No change to a configuration."""


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy that serves ``host`` over TLS (or plainly) with whoami behind it."""

    url: str
    port: int
    log: Path


@contextlib.contextmanager
def demonstration_application(folder: Path) -> Iterator[int]:
    """``doorward whoami`` on a port of its own."""
    port = free_port()
    with running([DOORWARD, "whoami", "--port", str(port)], log=folder / "whoami.log", port=port):
        yield port


@contextlib.contextmanager
def traefik(
    program: Program,
    folder: Path,
    host: str,
    *,
    tls: bool = True,
    shown_port: bool = True,
    changes: Mapping[str, str] = AS_IT_SHOULD_BE,
    by_the_page: bool = False,
) -> Iterator[Front]:
    """Real Traefik: one router, the ``forwardAuth`` middleware as the scenario has it, whoami as the service.

    ``by_the_page``: with the how-to's care about names."""
    names = (*IDENTITY_HEADERS, "X-authentik-entitlements") if by_the_page else IDENTITY_HEADERS
    port = free_port()
    chain, key = _certificate(program, folder, host if tls else "plain.localhost")
    (folder / "traefik.yml").write_text(
        dedent(f"""\
        global: {{checkNewVersion: false, sendAnonymousUsage: false}}
        log: {{level: INFO}}
        accessLog: {{}}
        entryPoints:
          entry:
            address: 127.0.0.1:{port}
            {"http: {aliasHeadersStrategy: delete}" if by_the_page else ""}
        providers:
          file:
            filename: {folder}/dynamic.yml
        """)
    )
    with demonstration_application(folder) as whoami:
        dynamic = dedent(f"""\
            http:
              routers:
                app:
                  rule: Host(`{host}`)
                  entryPoints: [entry]
                  middlewares: [authentik-auth-proxy]
                  service: whoami
                  {"tls: {}" if tls else ""}
              services:
                whoami:
                  loadBalancer:
                    servers:
                      - url: http://127.0.0.1:{whoami}
              middlewares:
                authentik-auth-proxy:
                  forwardAuth:
                    address: {program.plain}/outpost.goauthentik.io/auth/traefik
                    trustForwardHeader: true
                    authResponseHeaders:
            """)
        dynamic += "".join(f"          - {name}\n" for name in names)
        dynamic += f"tls:\n  certificates:\n    - certFile: {chain}\n      keyFile: {key}\n"
        (folder / "dynamic.yml").write_text(_changed(dynamic, changes))
        argv = [Path(sys.executable).with_name("traefik"), f"--configFile={folder}/traefik.yml"]
        with running(argv, log=folder / "traefik.log", port=port):
            front = _front(host, port, tls, shown_port, folder / "traefik.log")
            eventually(lambda: _has_its_routes(front, program.ca), what="Traefik has read its routes")
            yield front


@contextlib.contextmanager
def nginx(
    program: Program,
    folder: Path,
    host: str,
    *,
    tls: bool = True,
    shown_port: bool = True,
    changes: Mapping[str, str] = AS_IT_SHOULD_BE,
) -> Iterator[Front]:
    """Real nginx with ``auth_request``.

    With ``shown_port`` the two places that lose the port (``$host``, and nginx's own port in redirects) are written
    as people on a port other than 443 must write them; without it, as the well-known snippet has them.
    """
    port = free_port()
    chain, key = _certificate(program, folder, host)
    set_headers = "\n".join(
        f"auth_request_set $authentik_{variable} $upstream_http_x_authentik_{variable};\n"
        f"proxy_set_header {name} $authentik_{variable};"
        for name in IDENTITY_HEADERS
        for variable in [name.removeprefix("X-authentik-").replace("-", "_")]
    )
    name_of_host = "$http_host" if shown_port else "$host"
    with demonstration_application(folder) as whoami:
        server = dedent(f"""\
            listen 127.0.0.1:{port}{" ssl" if tls else ""};
            server_name {host};
            absolute_redirect off;  # stands in for listening on the port that the browser knows
            ssl_certificate {chain};
            ssl_certificate_key {key};
            proxy_buffers 8 16k;
            proxy_buffer_size 32k;
            location / {{
                proxy_pass http://127.0.0.1:{whoami};
                proxy_set_header Host {name_of_host};
                auth_request /outpost.goauthentik.io/auth/nginx;
                error_page 401 = @goauthentik_proxy_signin;
                auth_request_set $auth_cookie $upstream_http_set_cookie;
                add_header Set-Cookie $auth_cookie;
            {indent(set_headers, " " * 16)}
            }}
            location /outpost.goauthentik.io {{
                proxy_pass {program.plain}/outpost.goauthentik.io;
                proxy_set_header Host {name_of_host};
                proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
                add_header Set-Cookie $auth_cookie;
                auth_request_set $auth_cookie $upstream_http_set_cookie;
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
            }}
            location @goauthentik_proxy_signin {{
                internal;
                add_header Set-Cookie $auth_cookie;
                return 302 /outpost.goauthentik.io/start?rd=$scheme://$http_host$request_uri;
            }}
            """)
        server = f"server {{\n{_changed(server, changes)}}}\n"
        (folder / "nginx.conf").write_text(_nginx_configuration(folder, server))
        argv = [nginx_program(), "-p", folder, "-c", folder / "nginx.conf"]
        with running(argv, log=folder / "nginx.log", port=port):
            yield _front(host, port, tls, shown_port, folder / "nginx.log")


@contextlib.contextmanager
def nginx_by_the_page(program: Program, folder: Path, host: str) -> Iterator[Front]:
    """Real nginx with the how-to's server."""
    port = free_port()
    chain, key = _certificate(program, folder, host)
    with demonstration_application(folder) as whoami:
        server = from_page(
            "nginx.md",
            "nginx",
            {
                "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl; absolute_redirect off;",
                "server_name app.example.com;": f"server_name {host};",
                "# ssl_certificate …": f"ssl_certificate {chain}; ssl_certificate_key {key};",
                "Host $host;": "Host $http_host;",
                "http://127.0.0.1:8000": f"http://127.0.0.1:{whoami}",
                "http://doorward.internal:9000": program.plain,
            },
        )
        (folder / "nginx.conf").write_text(_nginx_configuration(folder, server))
        argv = [nginx_program(), "-p", folder, "-c", folder / "nginx.conf"]
        with running(argv, log=folder / "nginx.log", port=port):
            yield _front(host, port, True, True, folder / "nginx.log")


@contextlib.contextmanager
def caddy(
    program: Program, folder: Path, host: str, *, changes: Mapping[str, str] = AS_IT_SHOULD_BE
) -> Iterator[Front]:
    """Real Caddy with ``forward_auth``."""
    port = free_port()
    chain, key = _certificate(program, folder, host)
    names = " ".join(_capitalised(name) for name in (*IDENTITY_HEADERS, "X-authentik-entitlements"))
    with demonstration_application(folder) as whoami:
        text = dedent(
            f"""\
            {{
                admin off
                auto_https off
                storage file_system {folder}/caddy
                persist_config off
            }}
            https://{host}:{port} {{
                bind 127.0.0.1
                tls {chain} {key}
                route {{
                    reverse_proxy /outpost.goauthentik.io/* {program.plain}
                    forward_auth {program.plain} {{
                        uri /outpost.goauthentik.io/auth/caddy
                        copy_headers {names}
                        trusted_proxies private_ranges
                    }}
                    reverse_proxy 127.0.0.1:{whoami}
                }}
            }}
            """
        )
        (folder / "Caddyfile").write_text(_changed(text, changes))
        argv = [
            Path(sys.executable).with_name("caddy"),
            "run",
            "--config",
            folder / "Caddyfile",
            "--adapter",
            "caddyfile",
        ]
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        with running(argv, log=folder / "caddy.log", port=port, more=home):
            yield _front(host, port, True, True, folder / "caddy.log")


@contextlib.contextmanager
def envoy(program: Program, folder: Path, host: str, *, as_istio: bool = False) -> Iterator[Front]:
    """Real Envoy with the how-to's ``ext_authz``; ``as_istio`` with the fields that an extension provider names only,
    and with none of the how-to's care about paths and names."""
    port = free_port()
    chain, key = _certificate(program, folder, host)
    with demonstration_application(folder) as whoami:
        text = from_page(
            "envoy.md",
            "yaml",
            {
                "{address: 0.0.0.0, port_value: 443}": f"{{address: 127.0.0.1, port_value: {port}}}",
                "/etc/envoy/app.example.com.pem": str(chain),
                "/etc/envoy/app.example.com.key": str(key),
                "app.example.com": host,
                "http://doorward.internal:9000": program.plain,
                "{address: doorward.internal, port_value: 9000}": _socket_address(program.identity_port),
                "{address: app.internal, port_value: 8000}": _socket_address(whoami),
            },
        )
        (folder / "envoy.yaml").write_text(_as_istio(text) if as_istio else text)
        argv = [Path(sys.executable).with_name("envoy"), "-c", folder / "envoy.yaml", "--concurrency", "1"]
        with running([*argv, "--disable-hot-restart"], log=folder / "envoy.log", port=port):
            yield _front(host, port, True, True, folder / "envoy.log")


@contextlib.contextmanager
def haproxy(program: Program, folder: Path, host: str) -> Iterator[Front]:
    """Debian's HAProxy with the how-to's script and configuration."""
    port = free_port()
    chain, key = _certificate(program, folder, host)
    certificate = folder / "haproxy.pem"
    certificate.write_bytes(chain.read_bytes() + key.read_bytes())
    (folder / "doorward.lua").write_text(from_page("haproxy.md", "lua", {}))
    with demonstration_application(folder) as whoami:
        changes = {
            "/etc/haproxy/doorward.lua": f"{folder}/doorward.lua",
            "/etc/haproxy/app.example.com.pem": str(certificate),
            "bind :443": f"bind 127.0.0.1:{port}",
            "http://192.0.2.9:9000": program.plain,
            "127.0.0.1:8000": f"127.0.0.1:{whoami}",
        }
        (folder / "haproxy.cfg").write_text(from_page("haproxy.md", "haproxy", changes))
        argv = [distributed("haproxy", "haproxy"), "-db", "-f", folder / "haproxy.cfg"]
        with running(argv, log=folder / "haproxy.log", port=port):
            yield _front(host, port, True, True, folder / "haproxy.log")


@contextlib.contextmanager
def apache(
    program: Program, folder: Path, host: str, port: int, client: Mapping[str, str], plain: int
) -> Iterator[Front]:
    """Debian's Apache with the how-to's virtual host, as the OpenID Connect client ``client`` of the program. At the
    port ``plain`` it hears the same without TLS, for messages from the inside."""
    chain, key = _certificate(program, folder, host)
    outside = f"https://{host}:{port}"
    modules = "/usr/lib/apache2/modules"
    assert Path(modules, "mod_auth_openidc.so").exists(), "apt-get install apache2 libapache2-mod-auth-openidc"
    loaded = (
        "mpm_event authn_core authz_core authz_user headers proxy proxy_http proxy_wstunnel socache_shmcb ssl env "
        "auth_openidc"
    )
    with demonstration_application(folder) as whoami:
        changes = {
            "*:443": f"127.0.0.1:{port}",
            "ServerName app.example.com": f"ServerName {host}\n    OIDCCABundlePath {program.ca}",
            "/etc/apache2/app.example.com.pem": str(chain),
            "/etc/apache2/app.example.com.key": str(key),
            "https://auth.example.com/application/o/app/": f"{program.identity}/application/o/{client['slug']}/",
            "https://app.example.com/oidc": f"{outside}/oidc",
            '"the client ID"': client["client_id"],
            '"the client secret"': client["client_secret"],
            "a long random text of your own": "a-long-random-text-of-a-test",
            "127.0.0.1:8000": f"127.0.0.1:{whoami}",
        }
        lines = [f"LoadModule {name}_module {modules}/mod_{name}.so" for name in loaded.split()]
        lines += [
            f"ServerRoot {folder}",
            f"PidFile {folder}/apache.pid",
            f"DefaultRuntimeDir {folder}",
            f"ErrorLog {folder}/apache.log",
            f"Listen 127.0.0.1:{port}",
            "ServerName localhost",
            # Sessions in memory are each virtual host's own; in files both know them.
            "OIDCCacheType file",
            f"OIDCCacheDir {folder}",
            from_page("apache.md", "apache", changes),
            f"Listen 127.0.0.1:{plain}",
            from_page("apache.md", "apache", {**changes, f"127.0.0.1:{port}": f"127.0.0.1:{plain}"}).replace(
                "SSLEngine on", "SSLEngine off"
            ),
        ]
        (folder / "apache.conf").write_text("\n".join(lines))
        argv = [distributed("apache2", "apache2"), "-X", "-f", folder / "apache.conf"]
        with running(argv, log=folder / "apache.out", port=port):
            yield _front(host, port, True, True, folder / "apache.log")


def _nginx_configuration(folder: Path, server: str) -> str:
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/nginx.log;\n{places}{server}}}\n"
    )


def _changed(text: str, changes: Mapping[str, str]) -> str:
    """What somebody got wrong: each text in the place of one that must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _socket_address(port: int) -> str:
    return f"{{address: 127.0.0.1, port_value: {port}}}"


def _as_istio(text: str) -> str:
    """What Istio makes of the extension provider that people have (``contracts/outpost.md`` section 13.4)."""
    configuration = yaml.safe_load(text)
    [listener] = configuration["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    for care in (
        "normalize_path",
        "merge_slashes",
        "path_with_escaped_slashes_action",
        "common_http_protocol_options",
        "early_header_mutation_extensions",
    ):
        del manager[care]
    check = manager["http_filters"][0]["typed_config"]
    check["allowed_headers"] = {"patterns": [{"exact": "cookie", "ignore_case": True}]}
    check["http_service"]["authorization_response"] = {
        "allowed_client_headers_on_success": {"patterns": [{"exact": "cookie", "ignore_case": True}]},
        "allowed_upstream_headers": {
            "patterns": [
                {"exact": "set-cookie", "ignore_case": True},
                {"prefix": "x-authentik-", "ignore_case": True},
            ]
        },
    }
    return yaml.safe_dump(configuration)


def _front(host: str, port: int, tls: bool, shown_port: bool, log: Path) -> Front:
    return Front(f"{'https' if tls else 'http'}://{host}{f':{port}' if shown_port else ''}", port, log)


def _has_its_routes(front: Front, ca: Path) -> bool:
    """Traefik listens before it has read anything."""
    try:
        return ask(front.url, ca=ca, port=front.port).status != 404
    except OSError:
        return False


def _certificate(program: Program, folder: Path, host: str) -> tuple[Path, Path]:
    """A leaf for ``host`` from the program's own authority, made beside it so that its own leaf stays."""
    beside = folder / "leaf"
    shutil.copytree(program.ca.parent, beside, ignore=shutil.ignore_patterns("leaf.*"), dirs_exist_ok=True)
    local_ca.ensure(beside).leaf([host])
    return beside / "leaf.pem", beside / "leaf.key"


def _capitalised(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def distributed(name: str, package: str) -> str:
    """Where the distribution put a program."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"apt-get install {package}"
    return found


def nginx_program() -> str:
    """Where the distribution put nginx."""
    return distributed("nginx", "nginx-light")
