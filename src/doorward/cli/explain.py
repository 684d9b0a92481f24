"""``doorward explain``: why was this refused, and why does somebody get in?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from doorward.assembly.state_folder import StateFolder
from doorward.cli import paint, running
from doorward.messages.decisions import REASONS, Decision, FindDecisions, Weighed
from doorward.messages.explanations import AccessNow, ExplainAccess, ExplainDecision, Explanation, SessionStory


@click.command()
@click.argument("request_id", metavar="[ID]", default="")
@click.option("--app", "application", default="", help="Only decisions about this application (its slug).")
@click.option("--user", default="", help="With --app: why this user gets in there, or does not, as things are now.")
@click.option("--host", default="", help="Only decisions about hosts with this in their name.")
@click.option("--client", default="", help="Only decisions about this client address.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="How many to list.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@running.of_program
def explain(
    request_id: str,
    application: str,
    user: str,
    host: str,
    client: str,
    limit: int,
    as_json: bool,
    data: str,
    config_file: Path | None,
) -> None:
    """Say why a request was refused or sent to log in, by the ID on its page, in its answer or in the log.

    Without an ID the newest such decisions are listed. Requests that passed leave no record: ask with --app and
    --user why somebody gets in. Exits with 1 when nothing is known.

    \b
    Examples:
      doorward explain 6f1d0c9a
      doorward explain --host wiki --limit 5
      doorward explain --app wiki --user bob
    """
    folder = running.folder_of(data, config_file)
    if user:
        if not application:
            raise click.UsageError("--user needs --app: the application that the user gets into")
        if not folder.rpc_socket.exists():
            raise click.ClickException(
                "an outpost on its own knows no users: who may enter stands in its configuration (allow), or is asked "
                "at the identity provider. Ask here with the ID of a refusal."
            )
        access = running.ask_identity(folder, "explain-access", ExplainAccess(application, user), AccessNow)
        if access is None:
            raise click.ClickException("the identity provider does not answer")
        if as_json:
            click.echo(msgspec.json.encode(access))
        else:
            show_access(access)
        return
    if request_id:
        _one(explanations(running.folder_of(data, config_file), request_id), request_id, as_json)
        return
    found = running.find(folder, FindDecisions("", application, host, client, "", limit))
    if as_json:
        click.echo(msgspec.json.encode(found))
    elif not found.decisions:
        click.echo("No refusal is on record that fits.")
    else:
        for decision in reversed(found.decisions):
            _line(decision)
        click.echo(
            f"{found.kept} on record since {paint.moment(found.since)}. doorward explain ID says more.", err=True
        )


def explanations(folder: StateFolder, request_id: str) -> list[Explanation]:
    """From the identity provider, who knows most; without it, the records alone."""
    told = running.ask_identity(folder, "explain-decision", ExplainDecision(request_id), list[Explanation])
    if told is not None:
        return told
    found = running.find(folder, FindDecisions(id=request_id, limit=5)).decisions
    return [
        Explanation(decision, REASONS[decision.reason].what, REASONS[decision.reason].remedy)
        for decision in found
        if decision.reason in REASONS
    ]


def _one(found: list[Explanation], request_id: str, as_json: bool) -> None:
    if not found:
        raise click.ClickException(
            f"nothing is known about {request_id}. Requests that pass leave no record, and old records make room for "
            "new ones; the first 6 characters of an ID or more are needed."
        )
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for explanation in found:
        show(explanation)


def show(explanation: Explanation) -> None:
    """One decision with everything about it."""
    decision = explanation.decision
    paint.heading(explanation.what)
    click.echo(paint.safe(explanation.remedy))
    click.echo()
    paint.fact("Decision", decision.id)
    paint.fact("When", paint.moment(decision.at))
    paint.fact("Answer", f"{decision.status or '—'} {decision.answer}", paint.DOUBT)
    paint.fact("Detail", decision.detail)
    target = f"{decision.scheme}://{decision.host}{decision.path}" if decision.host else decision.path
    paint.fact("Request", f"{decision.method} {target}".strip())
    paint.fact("Spelled", decision.asked_path)
    paint.fact("Asked by", _asker(decision))
    paint.fact("Client", decision.client)
    _application(decision)
    paint.fact("Cookie", decision.cookie)
    if explanation.session is not None:
        paint.fact("Session", _session(explanation.session))
        for cause in explanation.session.causes:
            paint.fact("", f"in that moment: {cause}")
    paint.fact("Open paths", decision.skip_rules)
    paint.fact("Authorization", decision.authorization if decision.provider else "")
    if decision.provider and not decision.navigation:
        paint.fact("Kind", "no page that a person opens: told by a status instead of sent to log in")
    paint.fact("User", decision.user)
    _weighed("The access rules then", decision.weighed)
    if explanation.access is not None and not decision.weighed:
        show_access(explanation.access)
    for event in explanation.events:
        paint.fact("Event", f"{event.action} {event.text}".strip())


def show_access(access: AccessNow) -> None:
    """What lets somebody in now, or keeps them out."""
    verb = "may enter" if access.passing else "may not enter"
    paint.heading(f"{access.user} {verb} {access.name} now")
    if access.weighed:
        need = "every rule must say yes" if access.mode == "all" else "one rule that says yes is enough"
        click.echo(f"  {need}:")
    _weighed("", access.weighed)
    paint.lines(("!", note) for note in access.notes)
    for session in access.sessions:
        paint.lines((("✓", f"session {_session(session)}"),))
    if access.passing and access.external_host and not access.sessions:
        paint.lines((("·", "no live session at this application: the next visit goes through the login"),))


def _application(decision: Decision) -> None:
    if decision.provider:
        paint.fact("Application", f"{decision.application} at {decision.external_host}".strip())
    elif decision.known_hosts:
        paint.fact("Application", "none", paint.BAD)
        paint.fact("Known hosts", ", ".join(decision.known_hosts))


def _asker(decision: Decision) -> str:
    if decision.fused:
        return f"{decision.asked_by} (our own proxy, in the same process)"
    trust = "trusted" if decision.trusted else "not trusted"
    return f"{decision.asked_by}, from {decision.peer} ({trust})" if decision.peer else decision.asked_by


def _session(story: SessionStory) -> str:
    who = f" of {story.user}" if story.user else ""
    if story.state == "ended":
        return f"{story.digits}… ended {paint.moment(story.ended)}"
    if story.state == "unknown":
        return f"{story.digits}… is not known (any more): it expired long ago, or was made by another installation"
    until = paint.moment(story.expires)
    return f"{story.digits}…{who}, {'live until' if story.state == 'live' else 'expired'} {until}"


def _weighed(title: str, weighed: Iterable[Weighed]) -> None:
    rules = list(weighed)
    if rules and title:
        paint.heading(title)
    paint.lines(("✓" if rule.passing else "✗", f"{rule.binding}: {rule.reason}") for rule in rules)


def _line(decision: Decision) -> None:
    when = paint.moment(decision.at)
    click.echo(
        f"{click.style(decision.id[:12], fg=paint.PLAIN)}  {when}  {decision.status or '—'}  "
        f"{click.style(decision.reason.ljust(18), fg=paint.DOUBT)} {paint.safe(decision.method)} "
        f"{paint.safe(decision.host + decision.path)}  {paint.safe(decision.client)}"
    )
