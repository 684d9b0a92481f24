"""The configuration that ``doorward demo`` runs: two ordinary files in the state folder, to read and to learn from.

They are rewritten at each start, because ports may differ; changes to the routes while it runs are taken at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from doorward.assembly.local_ca import LocalAuthority
from doorward.messages.outposts import IDENTITY_HEADERS

HEAD = "# Written by `doorward demo` at each start. Copy it to make it yours: doorward serve --config FILE\n"


@dataclass(frozen=True, slots=True)
class Ports:
    http: int
    https: int
    identity: int
    whoami: int


def _https(host: str, port: int) -> str:
    return f"https://{host}" if port == 443 else f"https://{host}:{port}"


def whoami_url(ports: Ports) -> str:
    return _https("whoami.localhost", ports.https)


def identity_url(ports: Ports) -> str:
    return _https("auth.localhost", ports.https)


def write(folder: Path, ports: Ports, authority: LocalAuthority, workers: int) -> Path:
    """Write both files and see that the certificate that they name is there; returns the static one's path."""
    authority.leaf()
    static = folder / "doorward.yml"
    static.write_text(_static(folder, ports, workers))
    (folder / "routes.yml").write_text(_routes(ports, authority.folder))
    return static


def _static(folder: Path, ports: Ports, workers: int) -> str:
    quoted = json.dumps  # a JSON string is a YAML string
    return f"""{HEAD}
entryPoints:
  web:
    address: ":{ports.http}"
    http:
      redirections:
        entryPoint:
          to: websecure
          scheme: https
  websecure:
    address: ":{ports.https}"
    http:
      tls: {{}}
  identity:
    address: ":{ports.identity}"

providers:
  file:
    filename: {quoted(str(folder / "routes.yml"))}

identity:
  externalUrl: {quoted(identity_url(ports))}
  data: {quoted(str(folder))}
  # Letters are files here. A real mail server: smtps://user:password@mail.example.com?from=login@example.com
  mail: {quoted(f"file://{quote(str(folder))}/mail?from=doorward@auth.localhost")}

workers: {workers}
"""


def _routes(ports: Ports, authority: Path) -> str:
    headers = "\n".join(f"          - {name}" for name in IDENTITY_HEADERS)
    return f"""{HEAD}
http:
  routers:
    whoami:
      rule: Host(`whoami.localhost`)
      entryPoints: [websecure]
      middlewares: [authentik]
      service: whoami
    identity:
      rule: Host(`auth.localhost`)
      entryPoints: [websecure]
      service: identity@internal

  middlewares:
    # As people write it for Traefik. Its address is this very program, so it costs no request.
    authentik:
      forwardAuth:
        address: http://127.0.0.1:{ports.identity}/outpost.goauthentik.io/auth/traefik
        trustForwardHeader: true
        authResponseHeaders:
{headers}

  services:
    whoami:
      loadBalancer:
        servers:
          - url: http://127.0.0.1:{ports.whoami}

tls:
  certificates:
    - certFile: {json.dumps(str(authority / "leaf.pem"))}
      keyFile: {json.dumps(str(authority / "leaf.key"))}
"""
