"""What one start of ``doorward outpost`` runs: made by the command line from the configuration, carried out by a fresh
interpreter that knows nothing of configuration files."""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.entry_points import AccessLog, EntryPoint
from doorward.messages.outposts import ProxyProvider
from doorward.messages.plan import LogPlan
from doorward.messages.routing import ClientTls, RoutingTable


class Reach(Struct, frozen=True):
    """How a server is reached of which the URL is known."""

    url: str
    connect: str = ""
    """``host:port`` to connect to instead; empty: what the URL names."""
    ca_pem: str = ""
    insecure_skip_verify: bool = False
    keys_only: bool = False
    """Nobody logs in there: it only signs tokens, and need publish no more than its keys."""

    def tls(self, name: str) -> ClientTls:
        """``name``: of the server, where the connection goes somewhere else."""
        return ClientTls(
            ca_pem=self.ca_pem,
            insecure_skip_verify=self.insecure_skip_verify,
            server_name=name if self.connect else "",
        )


class ForeignApplications(Struct, frozen=True, tag=True):
    """Applications of our own configuration, with issuers that know nothing of us."""

    providers: tuple[ProxyProvider, ...]
    """Without endpoints and keys: those are the issuer's to say. A client authentication of ``auto`` likewise."""
    issuers: tuple[Reach, ...]
    """Each once; ``url`` is the issuer identifier."""
    secrets: tuple[str, ...]
    """What sealed sessions and the session file are sealed with; the first is in force."""
    in_file: bool
    """Sessions are kept in the state folder, not in cookies."""
    longest: float
    """Seconds after which no session lives any more."""


class ConnectedApplications(Struct, frozen=True, tag=True):
    """Whatever a Doorward identity provider says."""

    identity: Reach
    token: str
    poll: float
    absence: float


class OutpostPlan(Struct, frozen=True):
    entry_points: tuple[EntryPoint, ...]
    table: RoutingTable
    applications: ForeignApplications | ConnectedApplications
    trusted: tuple[str, ...]
    state_folder: str = ""
    access_log: AccessLog | None = None
    log: LogPlan = LogPlan()
    metrics: bool = False
    grace: float = 10.0
    """Seconds that requests in flight get at a stop."""
    warnings: tuple[str, ...] = ()
    config_file: str = ""
    """Where it was written; empty: in the environment."""
    watched: tuple[str, ...] = ()
    """Files that are read again by themselves when they have changed."""
