"""From a static configuration file to the plan of a start."""

from __future__ import annotations

import os
from pathlib import Path

import click

from doorward.cli.bootstrap import identity_plan
from doorward.config import listening
from doorward.config.decode import parse
from doorward.config.document import read_text
from doorward.config.problems import ConfigurationError
from doorward.config.static import Log, StaticConfiguration, decode_static
from doorward.messages.plan import DemoPlan, LogPlan, Plan


def read_static(config_file: Path) -> StaticConfiguration:
    """Raises click.ClickException that shows every problem of the file."""
    return _read(config_file)[0]


def _read(config_file: Path) -> tuple[StaticConfiguration, str]:
    """The configuration, and its text."""
    try:
        text = read_text(config_file)
        static = decode_static(parse(text, config_file))
    except ConfigurationError as error:
        raise click.ClickException(f"the configuration cannot be used:\n{error}") from error
    if static.identity is None:
        raise click.ClickException(
            f"{config_file}: the section identity is missing. It needs at least\n"
            f"  identity:\n    externalUrl: https://auth.example.com"
        )
    return static, text


def _log(log: Log) -> LogPlan:
    return LogPlan(log.level, log.format, str(Path(log.file_path).absolute()) if log.file_path else "")


def plan_of(config_file: Path, demo: DemoPlan | None = None) -> Plan:
    """What the configuration asks for. Raises click.ClickException."""
    static, text = _read(config_file)
    assert static.identity is not None
    database = "" if static.identity.database == "sqlite" else static.identity.database
    points = listening.entry_points(static)
    port = next(point.port for point in points if point.name == static.identity.entry_point)
    return Plan(
        state_folder=static.identity.data,
        config_file=str(config_file),
        entry_points=points,
        identity=identity_plan(
            static.identity.external_url,
            port,
            database,
            static.identity.mail,
            static.identity.geoip,
            tuple(str((config_file.parent / folder).absolute()) for folder in static.identity.blueprints),
            str((config_file.parent / static.identity.templates).absolute()) if static.identity.templates else "",
        ),
        workers=static.workers or len(os.sched_getaffinity(0)),
        access_log=listening.access_log(static),
        metrics=listening.metrics(static),
        log=_log(static.log),
        routes=listening.routes_plan(static, text),
        demo=demo,
        grace=listening.grace(static),
    )
