"""``doorward headers``: exactly what an application receives for somebody, and whether anybody can forge it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from doorward.cli import paint, running
from doorward.messages.explanations import HeaderContract, HeaderLine, ShowHeaders, SpoofLine

_ORIGINS = {
    "outpost": "the outpost says who it is",
    "user attributes": "the user's and groups' attributes add",
    "proxy": "the proxy says about the client",
    "client": "the client's own, handed on",
}


@click.command()
@click.argument("application", metavar="APP")
@click.option("--user", default="", help="For this user; the first administrator when not given.")
@click.option("--path", default="/", show_default=True, help="For this path.")
@click.option("--spoof", is_flag=True, help="Send forged fields through the chain, and say which of them arrive.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@running.of_program
def headers(
    application: str, user: str, path: str, spoof: bool, as_json: bool, data: str, config_file: Path | None
) -> None:
    """Show what the application APP (its slug) receives for a user.

    A request as this user goes through the real chain of a worker up to where the application is; nothing reaches
    the application itself, and no token that is shown could be used. Exits with 2 when a forged field arrived or a
    stranger got through.

    \b
    Examples:
      doorward headers wiki --user bob
      doorward headers wiki --spoof
    """
    folder = running.folder_of(data, config_file)
    contract = running.ask_identity(folder, "show-headers", ShowHeaders(application, user, path, spoof), HeaderContract)
    if contract is None:
        raise click.ClickException("the identity provider does not answer")
    if as_json:
        click.echo(msgspec.json.encode(contract))
    else:
        show(contract)
    raise SystemExit(status_of(contract))


def status_of(contract: HeaderContract) -> int:
    """0 when all is as it should be, 1 when nothing could be tried, 2 for a hole."""
    if contract.problem:
        return 1
    let_in = contract.stranger is not None and contract.stranger.reached
    return 2 if let_in or any(not line.held for line in contract.spoof) else 0


def show(contract: HeaderContract) -> None:
    """For people."""
    paint.heading(f"{contract.application} ({contract.external_host}) receives for {contract.user}")
    if not contract.may_enter:
        paint.lines((("!", f"{contract.user} may not enter: {'; '.join(contract.reasons)}"),))
    if contract.problem:
        paint.lines((("✗", contract.problem),))
        return
    assert contract.outcome is not None
    if contract.outcome.reached:
        click.echo(f"  router {contract.outcome.router}, service {contract.outcome.service}")
        _lines(contract.headers)
        if contract.lost:
            names = ", ".join(line.name for line in contract.lost)
            text = f"The outpost says {names} too, and this router does not hand them on: see its authResponseHeaders."
            paint.lines((("!", text),))
    else:
        paint.lines((("!", _not_reached(contract)),))
        _lines(contract.given)
    if contract.jwt:
        paint.heading("X-authentik-jwt says")
        for name, value in contract.jwt.items():
            paint.fact(f"  {name}".ljust(22), msgspec.json.encode(value).decode())
    paint.heading("Never arrives, whoever sends it")
    paint.lines(("·", line) for line in contract.stripped)
    if contract.stranger is not None:
        _stranger(contract)
    if contract.spoof:
        _spoof(contract.spoof)


def _not_reached(contract: HeaderContract) -> str:
    assert contract.outcome is not None
    if not contract.outcome.status:
        return (
            f"No router of this proxy serves {contract.host}: another proxy stands in front. This is what the outpost "
            "gives it, and what it must copy to the application:"
        )
    return f"The request did not reach the application: {contract.outcome.status} {contract.outcome.location}"


def _lines(lines: Sequence[HeaderLine]) -> None:
    for origin, words in _ORIGINS.items():
        theirs = [line for line in lines if line.origin == origin]
        if theirs:
            click.secho(f"  {words}", dim=True)
        for line in theirs:
            click.echo(f"    {click.style(paint.safe(line.name), fg=paint.PLAIN)}: {paint.safe(line.value)}")


def _stranger(contract: HeaderContract) -> None:
    assert contract.stranger is not None
    paint.heading("The same request without a session")
    if contract.stranger.reached:
        text = "reaches the application: the path is open, or nothing protects this router"
        paint.lines((("✗", text),))
    elif contract.stranger.status:
        paint.lines((("✓", f"is answered {contract.stranger.status} and does not reach the application"),))
    else:
        paint.lines((("·", "meets no router of this proxy"),))


def _spoof(lines: Sequence[SpoofLine]) -> None:
    paint.heading("Forged fields")
    for line in lines:
        what = f"{line.spelling} ({line.situation})"
        if not line.held:
            paint.lines((("✗", f"{what}: {', '.join(line.arrived)} arrived with the forged value"),))
        elif line.reached:
            paint.lines((("✓", f"{what}: reached the application, and nothing forged with it"),))
        else:
            paint.lines((("✓", f"{what}: {line.status or 'no router'}, the application saw nothing"),))
