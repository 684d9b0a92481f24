"""What one start of the program runs: made by the command line from the configuration, read by the supervisor.

The command line needs libraries that the running processes must not carry (click, pydantic, YAML). So it only
decides, writes its decisions down as a ``Plan``, and replaces itself by a fresh interpreter that carries them out.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics


class IdentityPlan(Struct, frozen=True):
    """The identity provider of this program."""

    external_url: str
    """How browsers reach it: scheme, host, port if not the default; no trailing slash."""
    port: int = 9000
    """Where other proxies and API clients reach it: the port of its entry point."""
    database: str = ""
    """``postgresql://…``, or empty for SQLite in the state folder."""
    mail: str = ""
    """How letters leave, as ``config.mail`` reads it; empty: none are sent."""
    geoip: tuple[str, ...] = ()
    """Paths of databases of places and networks."""
    blueprints: tuple[str, ...] = ()
    """Folders of blueprints; empty: the one in the state folder."""
    templates: str = ""
    """Folder of templates of letters; empty: the one in the state folder."""
    bootstrap_password: str = ""
    bootstrap_token: str = ""
    bootstrap_email: str = ""


class LogPlan(Struct, frozen=True):
    """How every process of the program writes its own log (``observe.log_lines``)."""

    level: str = "INFO"
    format: str = "json"
    file: str = ""
    """Empty for standard error."""


class DemoPlan(Struct, frozen=True):
    """What the demonstration adds: the application, and the entry that protects it."""

    whoami_port: int
    whoami_url: str
    """Outside URL of the demonstration application."""
    json: bool = False
    """Say that we are ready in one line of JSON instead of the panel."""


class FilesPlan(Struct, frozen=True):
    """The files that routes come from."""

    filename: str = ""
    directory: str = ""
    """Wins over ``filename``."""
    watch: bool = True


class RoutesPlan(Struct, frozen=True):
    """What the control process needs to know of the static configuration."""

    configuration: str = ""
    """Its text, which every later table is made with, whatever the file says by then."""
    files: FilesPlan | None = None
    throttle: float = 2.0
    """Seconds between two readings of the files at least."""
    probe_interval: float = 0.0
    """Seconds between two looks of the standing probe at one application; 0: there is no probe."""


class Plan(Struct, frozen=True):
    state_folder: str
    config_file: str
    """Static configuration file."""
    entry_points: tuple[EntryPoint, ...]
    identity: IdentityPlan
    workers: int = 2
    access_log: AccessLog | None = None
    metrics: Metrics | None = None
    log: LogPlan = LogPlan()
    routes: RoutesPlan = RoutesPlan()
    demo: DemoPlan | None = None
    grace: float = 10.0
    """Seconds that requests in flight get at a stop."""
    warnings: tuple[str, ...] = ()


# child → supervisor, one JSON line each on the child's notification pipe


class ChildReady(Struct, frozen=True, tag=True):
    pass


class ChildLeaving(Struct, frozen=True, tag=True):
    """It accepts nothing more, and ends when what is under way is done."""


class ChildFailed(Struct, frozen=True, tag=True):
    """It cannot start, and trying again will not help."""

    why: str


class Progress(Struct, frozen=True, tag=True):
    """A sentence for whoever waits for the start."""

    text: str


class FirstStart(Struct, frozen=True, tag=True):
    """The administrator was created just now; the password is told this once."""

    password: str


class NoRoutes(Struct, frozen=True, tag=True):
    """The very first configuration cannot be used, so nothing is routed."""

    why: str


class Reloaded(Struct, frozen=True, tag=True):
    """The configuration has been read again, whatever came of it."""


Notice = ChildReady | ChildLeaving | ChildFailed | Progress | FirstStart | NoRoutes | Reloaded
