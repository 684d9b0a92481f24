"""What a scenario knows of a chain of programs: where it listens, what it is charged for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HOST = "app.localhost"
"""The protected application, at every entry point. Without a port, as on the ports that browsers do not show."""
USERNAME = "akadmin"


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A running proxy with its auth server."""

    name: str
    ports: Mapping[str, int]
    """By entry point: ``web`` (plain), ``websecure`` (TLS), ``bulk`` (plain, to the application that takes bodies),
    ``external`` (plain, asks an auth server over HTTP, which is what all of Traefik's do), and our ``decision``."""
    roots: tuple[int, ...]
    """Roots of the process trees that are charged: proxy and auth server, not the application."""
    cookie: str = f"authentik_proxy_0123abcd={'A' * 72}"
    """What opens the application. Where the auth server looks at nothing, as long as a real one."""
    auth: tuple[int, int] = (0, 0)
    """Port and process of the auth server that says yes, where the chain has one."""
    data: Path | None = None
    """Our state folder, where the chain has one."""
    identity: bool = True
    """Whether the application is told who asks."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a chain is set up."""

    folder: Path
    prefix: tuple[str, ...]
    """What its programs are run by, such as ``taskset``."""
    application: int
    """Port of the application's nginx, which wants to be told who asks."""
    open_application: int
    """Port of the same for proxies that know of no identity."""
    bulk: int
    """Port of the application that takes bodies and speaks WebSocket."""
    certificate: Path
    """PEM chain of a P-256 certificate for ``HOST``."""
    key: Path
    routers: int = 1
    """How many routers the entry point ``web`` has; the one that is asked for is among them."""
