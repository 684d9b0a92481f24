"""Our own program, as ``doorward serve`` runs it: proxy and outpost in one process, metrics and access log on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from chains.chain import HOST, USERNAME, Chain, Site
from chains.yes_man import yes_man
from login import Visitor
from peers.api import Api
from peers.processes import free_port
from peers.program import PASSWORD, Program
from peers.proxies import IDENTITY_HEADERS

_ROUTERS_EACH = 1000
"""How many other applications share a file; no file may be larger than a MiB."""
ENTRY_POINTS = ("web", "websecure", "bulk", "external")


COMPILED = Path(__file__).parents[2] / "build" / "compiled"
"""What ``make compiled`` makes."""


def doorward_compiled(site: Site) -> AbstractContextManager[Chain]:
    """The same with its hot modules compiled."""
    if not (COMPILED / "doorward").is_dir():
        raise RuntimeError("there is no compiled program; make compiled")
    return doorward(site, ("env", f"PYTHONPATH={COMPILED}"))


@contextlib.contextmanager
def doorward(site: Site, within: tuple[str, ...] = ()) -> Iterator[Chain]:
    """With a session from a real login. The entry point ``external`` asks the auth server that says yes. ``within``: a
    command that runs it."""
    ports = {name: free_port() for name in ENTRY_POINTS}
    folder = site.folder
    program = Program(folder / "doorward", config=folder / "doorward.yml", prefix=(*site.prefix, *within))
    (folder / "doorward.yml").write_text(json.dumps(_static(program, ports, site)))
    with yes_man(folder / "auth", site.prefix) as auth:
        outpost = f"{program.plain}/outpost.goauthentik.io/auth/traefik"
        authorities = {"fused": outpost, "external": f"http://127.0.0.1:{auth.port}/"}
        write_routes(site, authorities, {"external": "external"}, "fused")
        try:
            program.start()
            Api(program).protect("bench", f"http://{HOST}")
            visitor = Visitor({HOST: ports["web"]})
            cookie = visitor.log_in(f"http://{HOST}/seen", USERNAME, PASSWORD)
            ports["decision"] = program.identity_port
            yield Chain(
                "doorward", ports, (program.pid, auth.pid), cookie, auth=(auth.port, auth.pid), data=program.data
            )
            program.stop()
        finally:
            program.end()


def _static(program: Program, ports: dict[str, int], site: Site) -> dict[str, Any]:
    entry_points: dict[str, Any] = {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()}
    entry_points["identity"] = {"address": f"127.0.0.1:{program.identity_port}"}
    return {
        "entryPoints": entry_points,
        "providers": {"file": {"directory": str(site.folder / "routes")}},
        "identity": {"externalUrl": f"http://auth.localhost:{program.identity_port}", "data": str(program.data)},
        "metrics": {"prometheus": {"entryPoint": "identity"}},
        "accessLog": {"filePath": str(site.folder / "access.log")},
    }


def write_routes(site: Site, authorities: dict[str, str], special: dict[str, str], usual: str) -> None:
    """Fill the folder ``routes`` in the format that we and Traefik read.

    Args:
        site: the application and the certificate.
        authorities: forwardAuth addresses by the name of their middleware.
        special: by entry point, the middleware that is not the usual one.
        usual: the middleware of all other entry points.
    """
    folder = site.folder / "routes"
    folder.mkdir()
    (folder / "app.yml").write_text(json.dumps(_dynamic(site, authorities, special, usual)))
    others = range(site.routers - 1)
    for start in range(0, len(others), _ROUTERS_EACH):
        routers = {f"other{number}": _other(number, usual) for number in others[start : start + _ROUTERS_EACH]}
        (folder / f"others{start}.yml").write_text(json.dumps({"http": {"routers": routers}}))


def _other(number: int, middleware: str) -> dict[str, Any]:
    """A router for somebody else's application."""
    rule = f"Host(`other{number}.localhost`) && PathPrefix(`/some`)"
    return {"rule": rule, "entryPoints": ["web"], "middlewares": [middleware], "service": "app"}


def _dynamic(site: Site, authorities: dict[str, str], special: dict[str, str], usual: str) -> dict[str, Any]:
    rule = f"Host(`{HOST}`)"
    entry: dict[str, dict[str, Any]] = {
        "web": {"service": "app"},
        "websecure": {"service": "app", "tls": {}},
        "bulk": {"service": "bulk"},
        **{name: {"service": "app"} for name in special},
    }
    routers = {
        name: {"rule": rule, "entryPoints": [name], "middlewares": [special.get(name, usual)], **values}
        for name, values in entry.items()
    }
    return {
        "http": {
            "routers": routers,
            "services": {
                "app": _service(site.application),
                "bulk": _service(site.bulk),
            },
            "middlewares": {
                name: {
                    "forwardAuth": {
                        "address": address,
                        "trustForwardHeader": True,
                        "authResponseHeaders": list(IDENTITY_HEADERS),
                    }
                }
                for name, address in authorities.items()
            },
        },
        "tls": {
            "certificates": [{"certFile": str(site.certificate), "keyFile": str(site.key)}],
            "stores": {
                "default": {"defaultCertificate": {"certFile": str(site.certificate), "keyFile": str(site.key)}}
            },
        },
    }


def _service(port: int) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
