"""Questions of the command line to the program that runs on this machine, through its state folder.

Whoever may enter the state folder may ask; nobody else can reach the sockets in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from click.core import ParameterSource

from doorward.assembly import state_folder
from doorward.assembly.state_folder import StateFolder
from doorward.messages.decisions import DecisionsFound, FindDecisions
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.net import explain_door
from doorward.net.client import Client, Origin, TooLarge, Unreachable
from doorward.net.explain_door import NobodyAnswers

PATIENCE = 30.0
"""Seconds for one answer."""
LARGEST = 16 << 20
_OF_AN_OUTPOST = frozenset({"applications", "issuer", "identityprovider"})
"""Keys that stand in no other configuration."""

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def of_program(command: F) -> F:
    """The options that say which program is meant."""
    command = click.option(
        "--data", envvar="DOORWARD_DATA", default="", help="State folder of the program (also DOORWARD_DATA)."
    )(command)
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Configuration of the program (or of a doorward outpost), which names the state folder.",
    )(command)


def folder_of(data: str, config_file: Path | None) -> StateFolder:
    """The state folder of the running program: the one that was named, or the only one of the usual ones.

    Raises click.ClickException.
    """
    from doorward.cli.demo import default_data

    if config_file is not None and (not data or _is_from_the_environment("data")):
        data = _named_by(config_file.absolute())
    candidates = [data] if data else ["/var/lib/doorward", "/var/lib/doorward-outpost", default_data()]
    problem = ""
    for candidate in candidates:
        try:
            return state_folder.running(Path(candidate).absolute())
        except state_folder.StateFolderUnusable as error:
            problem = problem or str(error)
    raise click.ClickException(problem)


def _is_from_the_environment(option: str) -> bool:
    """What stands on the command line says more about what is meant."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(option) is ParameterSource.ENVIRONMENT


def _named_by(config_file: Path) -> str:
    """The state folder that a configuration names: of the whole program, or of an outpost on its own."""
    from doorward.cli.plans import read_static
    from doorward.config.decode import read_document
    from doorward.config.problems import ConfigurationError

    try:
        written = read_document(config_file).data
    except ConfigurationError as error:
        raise click.ClickException(f"the configuration cannot be used:\n{error}") from error
    if not isinstance(written, dict) or not _OF_AN_OUTPOST & {str(key).lower() for key in written}:
        static = read_static(config_file)
        assert static.identity is not None
        return static.identity.data
    state = next((value for key, value in written.items() if str(key).lower() == "state"), "")
    if not isinstance(state, str) or not state:
        raise click.ClickException(f"{config_file} names no folder in state: without one an outpost keeps no records")
    return state


def find(folder: StateFolder, wanted: FindDecisions) -> DecisionsFound:
    """Raises click.ClickException when the program does not answer."""
    try:
        answer = explain_door.ask(folder.explain_socket, wanted)
    except NobodyAnswers as error:
        raise click.ClickException(f"the running program does not answer: {error}") from error
    assert isinstance(answer, DecisionsFound)
    return answer


def ask_identity(folder: StateFolder, name: str, question: msgspec.Struct, answer: type[T]) -> T | None:
    """What the identity provider answers; None when it does not answer at all.

    Raises click.ClickException with what it says instead of an answer.
    """
    answer_or_none = asyncio.run(_asked(folder.rpc_socket, name, question))
    if answer_or_none is None:
        return None
    if answer_or_none.status == 200:
        return msgspec.msgpack.decode(answer_or_none.body, type=answer)
    if answer_or_none.body:
        raise click.ClickException(msgspec.msgpack.decode(answer_or_none.body, type=str))
    return None


async def _asked(door: Path, name: str, question: msgspec.Struct) -> HttpAnswer | None:
    client = Client()
    http = HttpQuestion(
        b"POST", b"/rpc/" + name.encode("ascii"), ((b"Host", b"identity"),), msgspec.msgpack.encode(question)
    )
    try:
        return await client.fetch(http, Origin("unix", path=str(door)), timeout=PATIENCE, max_body=LARGEST)
    except (Unreachable, TooLarge):
        return None
    finally:
        await client.close()
