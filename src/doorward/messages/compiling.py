"""The channel between the control process and the compiler that it starts when routes are to be made.

The compiler holds the libraries that read configuration (30 MB) and lives for as long as it is needed; the control
process keeps, as plain data, what the next one must know of this one. Frames are a 4-byte big-endian length and the
MessagePack form of ``MakeRoutes`` one way and ``RoutesMade`` the other, one answer for each question.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.routing import Certificate, RoutingTable

Json = dict[str, Any]
"""An object as ``api@internal`` shows it."""


class ApiObjects(Struct, frozen=True):
    """What ``api@internal`` shows of one routing table, without secrets. Lists are sorted by name."""

    base: str = ""
    """Path below which it answers; no slash at the end."""
    features: Json = {}
    providers: tuple[str, ...] = ()
    routers: tuple[Json, ...] = ()
    services: tuple[Json, ...] = ()
    """Without what the health checks have found."""
    middlewares: tuple[Json, ...] = ()
    entry_points: tuple[Json, ...] = ()
    certificates: tuple[Json, ...] = ()


class Routing(Struct, frozen=True, tag=True):
    """A table to use from now on, and what its author should know about it."""

    table: RoutingTable
    warnings: tuple[str, ...] = ()
    gauges: dict[str, float] = {}
    """What the metrics say of its certificates."""
    api: ApiObjects | None = None
    """Where the configuration has an API."""


class Failed(Struct, frozen=True, tag=True):
    """Nothing changes; ``problems`` has one reason a line."""

    problems: str


class KeptPair(Struct, frozen=True):
    """A certificate as it was read last from two places."""

    cert: str
    key: str
    certificate: Certificate


class Kept(Struct, frozen=True):
    """What a compiler must know of those before it."""

    files: tuple[tuple[str, str], ...] | None = None
    """Name and text of the files that could be used last; None when none ever could."""
    pairs: tuple[KeptPair, ...] = ()
    """Configured certificates, for those that can no longer be read."""
    local: tuple[tuple[str, Certificate], ...] = ()
    """Certificates of the local authority for hosts of applications, by host."""


class MakeRoutes(Struct, frozen=True):
    config_file: str
    configuration: str
    """Name and text of the static configuration."""
    identity_socket: str
    authority: str
    """Folder of the local certificate authority."""
    own_names: tuple[str, ...]
    """Names of this machine, under which a ``forwardAuth`` address is our own outpost."""
    read: bool
    """Read the files again; otherwise what they said last counts."""
    outposts: OutpostConfiguration
    """The applications in proxy mode."""
    kept: Kept


class RoutesMade(Struct, frozen=True):
    outcome: Routing | Failed | None
    """The table has no version yet. None: there is nothing yet to make a table of."""
    files: tuple[str, ...] | None
    """What the table was made of besides the configuration, or would have been; None: as before."""
    kept: Kept
