"""The static configuration: what is read once at start. Traefik's format (``contracts/proxy.md`` sections 1.2 and
1.3) and the ``identity`` section beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from doorward.config.decode import decode, read_document
from doorward.config.document import Document, KeyPath
from doorward.config.entry_point import EntryPoint, parse_address
from doorward.config.mail import read_mail_url
from doorward.config.problems import ConfigurationError, Problem, joined, nearest
from doorward.config.section import Duration, Flag, Names, Section, Text, lower_text, not_yet, upper_text
from doorward.config.services import known_statuses

TRAEFIK_ENTRY_POINT = "traefik"
"""Made on ``:8080`` when something internal wants it and nobody defined it."""


class FileProvider(Section):
    """Dynamic configuration from a file or a folder of files."""

    refused = not_yet("debugLogGeneratedTemplate")

    filename: Text = ""
    directory: Text = ""
    """Wins over ``filename``; read with its subfolders, in alphabetical order."""
    watch: Flag = True


class Providers(Section):
    refused = not_yet(
        "precedence", "http", "rest", "docker", "swarm", "kubernetesIngress", "kubernetesIngressNGINX", "kubernetesCRD",
        "kubernetesGateway", "knative", "consul", "consulCatalog", "nomad", "etcd", "ecs", "redis", "zooKeeper",
        "plugin",
    )  # fmt: skip

    providers_throttle_duration: Duration = 2.0
    """Shortest time between two reloads."""
    file: FileProvider | None = None


Mode = Annotated[Literal["keep", "drop"], BeforeValidator(lower_text)]
HeaderMode = Annotated[Literal["keep", "drop", "redact"], BeforeValidator(lower_text)]


class AccessLogFilters(Section):
    """What is written; anything that fits one of them. Without a filter, everything is."""

    status_codes: Annotated[Names, AfterValidator(known_statuses)] = ()
    """``200``, ``400-499``."""
    retry_attempts: Flag = False
    """Requests that were given to more than one server, or to one more than once."""
    min_duration: Duration = 0.0
    """Requests that took longer."""


class AccessLogHeaders(Section):
    """Header fields: ``request_…`` of the client, ``origin_…`` of the server, ``downstream_…`` of the answer.

    ``Authorization``, ``Cookie``, ``Set-Cookie`` and their like are written as ``REDACTED`` even where they are kept.
    """

    default_mode: HeaderMode = "drop"
    names: dict[str, HeaderMode] = {}


class AccessLogQuery(Section):
    default_mode: Mode = "keep"
    """``drop`` ends the path at its question mark. Values of telling parameters (``code``, ``token`` …) are never
    written."""


class AccessLogFields(Section):
    default_mode: Mode = "keep"
    names: dict[str, Mode] = {}
    """With ``StartUTC: drop`` the lines of ``common`` have the local time (of ``TZ``)."""
    headers: AccessLogHeaders = AccessLogHeaders()
    query_parameters: AccessLogQuery = AccessLogQuery()


class AccessLog(Section):
    """One line per request."""

    refused = not_yet("dualOutput", "otlp")

    file_path: Text = ""
    """Empty for standard output. SIGUSR1 opens it again after it was moved away."""
    format: Literal["common", "genericCLF", "json"] = "common"
    buffering_size: int = Field(default=0, ge=0)
    """Lines after which a batch is written. Lines never wait longer than a second, nor until they are 64 KiB."""
    filters: AccessLogFilters = AccessLogFilters()
    fields: AccessLogFields = AccessLogFields()
    add_internals: Flag = False
    """Requests to ``ping@internal``, ``api@internal``, ``prometheus@internal`` as well."""


class Prometheus(Section):
    refused = not_yet("headerLabels")

    entry_point: Text = TRAEFIK_ENTRY_POINT
    add_entry_points_labels: Flag = True
    add_routers_labels: Flag = False
    add_services_labels: Flag = True
    buckets: tuple[Annotated[float, Field(gt=0)], ...] = (0.1, 0.3, 1.2, 5.0)
    """Upper ends of the duration histogram, in seconds, rising."""
    manual_routing: Flag = False
    """No router of our own: a router of yours names the service ``prometheus@internal``."""


class Metrics(Section):
    refused = not_yet("otlp", "datadog", "statsD", "influxDB2")

    add_internals: Flag = False
    """Requests to ``ping@internal``, ``api@internal``, ``prometheus@internal`` as well."""
    prometheus: Prometheus | None = None


class Log(Section):
    refused = not_yet("noColor", "maxSize", "maxAge", "maxBackups", "compress")

    level: Annotated[
        Literal["TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "PANIC"], BeforeValidator(upper_text)
    ] = "INFO"
    """Of the program's own records. Libraries are heard from WARN on."""
    format: Annotated[Literal["common", "json"], BeforeValidator(lower_text)] = "json"
    """``json``: an object a line; ``common``: words."""
    file_path: Text = ""
    """Empty for standard error. All processes append to it; SIGUSR1 opens it again after it was moved away."""


class Ping(Section):
    entry_point: Text = TRAEFIK_ENTRY_POINT
    manual_routing: Flag = False
    terminating_status_code: Literal[503] = 503


def _base_path(text: str) -> str:
    if not re.fullmatch(r"/[a-zA-Z0-9/_.:~-]*", text, re.ASCII):
        raise ValueError("must be a path such as /traefik: letters, digits and /_.:~-")
    return text


class Api(Section):
    """What is configured and how it is doing, as JSON, read-only and without secrets: the service ``api@internal``.

    Whoever reads it learns every host, server and middleware. Give it a router of yours with an authentication
    (``service: api@internal``).
    """

    refused = {
        "dashboard": "there is no dashboard: leave it out, and use the JSON at /api/http/routers and its like",
        "dashboardName": "there is no dashboard: leave it out",
        "disableDashboardAd": "there is no dashboard: leave it out",
        "debug": "there are no debug endpoints: leave it out",
    }

    insecure: Flag = False
    """Serve it on the entry point ``traefik`` without any authentication. The log warns at every start."""
    base_path: Annotated[Text, AfterValidator(_base_path)] = "/"
    """Put before ``/api``."""


class ForwardingTimeouts(Section):
    dial_timeout: Duration = 30.0
    response_header_timeout: Duration = 0.0
    """0 waits for ever."""
    idle_conn_timeout: Duration = 90.0
    read_idle_timeout: Duration = 0.0
    """Silence of an HTTP/2 server that has something to do until it is pinged; 0 for never."""
    ping_timeout: Duration = 15.0
    """How long it may take to answer the ping before the connection is given up."""


class StaticServersTransport(Section):
    """How servers are reached when their service names no other transport."""

    refused = not_yet("spiffe")

    insecure_skip_verify: Flag = False
    root_cas: Names = Field(default=(), alias="rootCAs")
    """PEM files or PEM text."""
    max_idle_conns_per_host: int = Field(default=200, ge=0)
    forwarding_timeouts: ForwardingTimeouts = ForwardingTimeouts()


class GlobalSettings(Section):
    not_append_x_forwarded_for: Flag = Field(default=False, alias="notAppendXForwardedFor")
    """As ``forwardedHeaders.notAppendXForwardedFor`` of every entry point."""
    check_new_version: Literal[False] = False
    """Doorward never asks for new versions."""
    send_anonymous_usage: Literal[False] = False
    """Doorward never sends anything about its use."""


def _external_url(text: str) -> str:
    parts = urlsplit(text)
    plain = not (parts.query or parts.fragment or parts.username or parts.path.strip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("must be the outside URL of the identity provider, such as https://auth.example.com")
    port = parts.port
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _database(text: str) -> str:
    if text != "sqlite" and not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("must be sqlite or a postgresql:// URL")
    if text != "sqlite" and find_spec("psycopg") is None:
        raise ValueError("needs psycopg, which is not installed: pip install 'doorward[postgresql]'")
    return text


def _mail(text: str) -> str:
    if text:
        read_mail_url(text)
    return text


def _databases(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if os.pathsep in path or not Path(path).is_file():
            raise ValueError(f"there is no file {path}")
    return paths


class Probe(Section):
    """Looks at every protected application from outside, and raises an event when a stranger is let in or the outpost
    does not answer. ``probe: {}`` switches it on."""

    interval: Annotated[Duration, Field(ge=10.0)] = 300.0
    """Time between two looks at one application; at least ten seconds."""


class Identity(Section):
    """The identity provider that runs in this program."""

    external_url: Annotated[Text, AfterValidator(_external_url)]
    """Its URL as browsers know it, such as ``https://auth.example.com``. Never taken from a request."""
    data: Text = "/var/lib/doorward"
    """Folder of the database, the keys and the sockets; only its owner may enter it."""
    database: Annotated[Text, AfterValidator(_database)] = "sqlite"
    """``sqlite``: a file in ``data``. ``postgresql://…``: a server."""
    mail: Annotated[Text, AfterValidator(_mail)] = ""
    """How letters leave: ``smtps://user:password@host?from=login@example.com``, ``smtp://…`` or ``file:///folder?from=…``;
    empty: none are sent. ``DOORWARD_MAIL`` in the environment says the same, and goes first."""
    geoip: Annotated[Names, AfterValidator(_databases)] = ()
    """Databases in MaxMind's format (GeoLite2 City and ASN, or others), which you supply: logins can then be tied to a
    country or a network operator."""
    blueprints: Names = ()
    """Folders of blueprints that are applied at start and when a file changes; ``blueprints`` in ``data`` when none is
    named. ``DOORWARD_BLUEPRINTS`` in the environment says the same (several with ``:`` between), and goes first."""
    templates: Text = ""
    """Folder of templates of your own; those of letters stand below it in ``email``. Not named: ``templates`` in
    ``data``."""
    entry_point: Text = "identity"
    """Entry point that serves it; made on ``:9000`` when it is not defined."""
    probe: Probe | None = None
    """The standing probe; off when it is not there."""


class StaticConfiguration(Section):
    """What an operator writes into the file that ``doorward serve --config`` names."""

    refused = {
        **not_yet("certificatesResolvers", "tracing", "hostResolver", "experimental", "core", "spiffe", "ocsp"),
        "http": "belongs into a file of the file provider (providers.file), not into this one",
        "tcp": "belongs into a file of the file provider (providers.file), and is not supported yet",
        "udp": "belongs into a file of the file provider (providers.file), and is not supported yet",
        "tls": "belongs into a file of the file provider (providers.file), not into this one",
    }

    entry_points: dict[str, EntryPoint] = {}
    providers: Providers = Providers()
    servers_transport: StaticServersTransport = StaticServersTransport()
    access_log: AccessLog | None = None
    metrics: Metrics | None = None
    log: Log = Log()
    ping: Ping | None = None
    api: Api | None = None
    identity: Identity | None = None
    workers: int = Field(default=0, ge=0, le=256)
    """Processes that serve requests; 0 for one per processor that it may use."""
    global_: GlobalSettings = Field(default=GlobalSettings(), alias="global")


def load_static(path: Path | str) -> StaticConfiguration:
    """Read a static configuration file. Raises ConfigurationError with everything that is wrong with it."""
    return decode_static(read_document(Path(path)))


def decode_static(document: Document) -> StaticConfiguration:
    """``document`` as a static configuration, its parts checked against one another. Raises ConfigurationError."""
    if document.data is None:
        document.data = {}
    static = decode(document, StaticConfiguration)
    problems = [
        Problem(message, document.file, document.line(path), joined(path)) for path, message in _contradictions(static)
    ]
    if problems:
        raise ConfigurationError(problems)
    return static


def _contradictions(static: StaticConfiguration) -> Iterator[tuple[KeyPath, str]]:
    """What is fine part by part and wrong together."""
    names = set(static.entry_points) | {TRAEFIK_ENTRY_POINT}
    if static.identity is not None:
        names.add(static.identity.entry_point)
    for path, name in _references(static):
        if name not in names:
            hint = nearest(name, names)
            yield path, f"there is no entry point {name!r}" + (f"; {hint}" if hint else "")
    bound: dict[tuple[str, int], str] = {}
    for name, entry_point in static.entry_points.items():
        if "@" in name or not name:
            yield ("entryPoints", name), "the name of an entry point must not be empty or contain @"
        other = bound.setdefault(parse_address(entry_point.address), name)
        if other != name:
            yield ("entryPoints", name, "address"), f"is the address of the entry point {other!r} as well"
    file = static.providers.file
    if file is not None and not file.filename and not file.directory:
        yield ("providers", "file"), "needs a filename or a directory"


def _references(static: StaticConfiguration) -> Iterator[tuple[KeyPath, str]]:
    """Every place that names an entry point."""
    if static.ping is not None:
        yield ("ping", "entryPoint"), static.ping.entry_point
    if static.metrics is not None and static.metrics.prometheus is not None:
        yield ("metrics", "prometheus", "entryPoint"), static.metrics.prometheus.entry_point
    for name, entry_point in static.entry_points.items():
        redirections = entry_point.http.redirections
        if redirections is not None and redirections.entry_point is not None:
            to = redirections.entry_point.to
            if not to.startswith(":"):
                yield ("entryPoints", name, "http", "redirections", "entryPoint", "to"), to
