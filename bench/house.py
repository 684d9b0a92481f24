"""The programs that a run keeps running: each chain is started when a scenario first wants it, and stays.

All of them stand on one application, so that what differs between two rows of a table is the chain alone. There are
two sets: one with everything on one core, one that may use every core; and fresh ones for what a long life changes,
which is memory.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from application import Application, application
from chains.caddy import caddy
from chains.chain import HOST, Chain, Site
from chains.doorward import doorward, doorward_compiled
from chains.envoy import envoy
from chains.haproxy import haproxy_plain
from chains.nginx import nginx_plain, nginx_with_auth
from chains.traefik import traefik, traefik_and_doorward
from doorward.assembly import local_ca
from machine import FREE, ONE_CORE
from peers.processes import free_port, running

CHAINS: dict[str, Callable[[Site], AbstractContextManager[Chain]]] = {
    "doorward": doorward,
    "doorward-compiled": doorward_compiled,
    "traefik": traefik,
    "nginx": nginx_with_auth,
    "nginx-plain": nginx_plain,
    "haproxy-plain": haproxy_plain,
    "traefik+doorward": traefik_and_doorward,
    "caddy": caddy,
    "envoy": envoy,
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A running chain and the application behind it."""

    chain: Chain
    application: Application
    prefix: tuple[str, ...]
    """What load generators are run by."""
    ca: Path
    """What signed the certificate of the TLS entry point."""


class House:
    """Use it as a context manager; leaving it stops everything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._tenants: dict[tuple[str, bool, int], Tenant] = {}
        self._applications: dict[bool, tuple[Application, int]] = {}
        self._number = 0
        authority = local_ca.ensure(folder / "ca")
        authority.leaf([HOST, "127.0.0.1"])
        self._certificate, self._key = folder / "ca" / "leaf.pem", folder / "ca" / "leaf.key"

    def __enter__(self) -> House:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def tenant(self, name: str, *, free: bool = False, routers: int = 1) -> Tenant:
        """The chain ``name``, started if it is not running yet."""
        key = name, free, routers
        if key not in self._tenants:
            self._tenants[key] = self._stack.enter_context(self._start(name, free, routers))
        return self._tenants[key]

    @contextlib.contextmanager
    def fresh(self, name: str) -> Iterator[Tenant]:
        """A chain of its own, which may use every core and ends with the block."""
        with self._start(name, True, 1) as tenant:
            yield tenant

    @contextlib.contextmanager
    def _start(self, name: str, free: bool, routers: int) -> Iterator[Tenant]:
        begun = time.monotonic()
        prefix = FREE if free else ONE_CORE
        if free not in self._applications:
            self._applications[free] = self._application(prefix)
        behind, bulk = self._applications[free]
        folder = self._new_folder(name)
        ports = behind.port, behind.open_port, bulk
        site = Site(folder, prefix, *ports, self._certificate, self._key, routers)
        with CHAINS[name](site) as chain:
            took = time.monotonic() - begun
            many = f", {routers:,} routers" if routers > 1 else ""
            print(f"    started {name} ({'all cores' if free else 'one core'}{many}) in {took:.1f} s", file=sys.stderr)
            yield Tenant(chain, behind, prefix, self._folder / "ca" / "ca.pem")

    def _application(self, prefix: tuple[str, ...]) -> tuple[Application, int]:
        behind = self._stack.enter_context(application(self._new_folder("application"), prefix))
        bulk = free_port()
        program = Path(__file__).with_name("bulk_application.py")
        argv = [*prefix, sys.executable, program, bulk]
        log = self._new_folder("bulk") / "log"
        self._stack.enter_context(running(argv, log=log, port=bulk))
        return behind, bulk

    def _new_folder(self, name: str) -> Path:
        self._number += 1
        folder = self._folder / f"{self._number}-{name}"
        folder.mkdir(parents=True)
        return folder
