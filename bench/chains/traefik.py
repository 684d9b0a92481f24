"""Real Traefik with ``forwardAuth``: to the auth server that says yes, or to our outpost over HTTP."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from chains.chain import HOST, USERNAME, Chain, Site
from chains.doorward import write_routes
from chains.yes_man import yes_man
from login import Visitor
from peers.api import Api
from peers.processes import eventually, free_port, running
from peers.program import PASSWORD, Program
from peers.questions import ask

ENTRY_POINTS = ("web", "websecure", "bulk")


@contextlib.contextmanager
def traefik(site: Site) -> Iterator[Chain]:
    """The chain that everything is compared with."""
    with (
        yes_man(site.folder / "auth", site.prefix) as auth,
        _traefik(site, f"http://127.0.0.1:{auth.port}/") as (ports, pid),
    ):
        yield Chain("traefik", ports, (pid, auth.pid))


@contextlib.contextmanager
def traefik_and_doorward(site: Site) -> Iterator[Chain]:
    """Our outpost behind somebody's Traefik, with a session from a real login."""
    program = Program(site.folder / "doorward", config=site.folder / "doorward.yml", prefix=site.prefix)
    static = {
        "entryPoints": {"identity": {"address": f"127.0.0.1:{program.identity_port}"}},
        "identity": {"externalUrl": f"http://auth.localhost:{program.identity_port}", "data": str(program.data)},
    }
    (site.folder / "doorward.yml").write_text(json.dumps(static))
    try:
        program.start()
        Api(program).protect("bench", f"http://{HOST}")
        with _traefik(site, f"{program.plain}/outpost.goauthentik.io/auth/traefik") as (ports, pid):
            cookie = Visitor({HOST: ports["web"]}).log_in(f"http://{HOST}/seen", USERNAME, PASSWORD)
            yield Chain("traefik+doorward", ports, (pid, program.pid), cookie)
        program.stop()
    finally:
        program.end()


@contextlib.contextmanager
def _traefik(site: Site, address: str) -> Iterator[tuple[dict[str, int], int]]:
    ports = {name: free_port() for name in ENTRY_POINTS}
    write_routes(site, {"auth": address}, {}, "auth")
    argv = [
        *site.prefix,
        Path(sys.executable).with_name("traefik"),
        *(f"--entryPoints.{name}.address=127.0.0.1:{port}" for name, port in ports.items()),
        f"--providers.file.directory={site.folder}/routes",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=ERROR",
    ]
    with running(argv, log=site.folder / "traefik.log", port=ports["web"]) as process:
        headers = [("Host", HOST)]
        eventually(
            lambda: ask(f"http://127.0.0.1:{ports['web']}/", headers=headers).status != 404,
            within=60,
            what="Traefik has read its routes",
        )
        yield {**ports, "external": ports["web"]}, process.pid
