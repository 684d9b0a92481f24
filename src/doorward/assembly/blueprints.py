"""What ``doorward blueprint`` does: the engine of the administrators' pages, for whoever owns the state folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.assembly.django_alone import Unusable, ready
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan

if TYPE_CHECKING:
    from doorward.identity.blueprints.report import Report

__all__ = ["Answer", "Unusable", "apply", "diff", "diff_all", "export"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines for the terminal, and whether database and blueprint say (or said) different things."""

    lines: tuple[str, ...]
    counted: str
    differs: bool


def apply(plan: Plan, folder: StateFolder, text: str, file: str) -> Answer:
    """Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.blueprints import actions
        from doorward.identity.events.actor import Actor

        return _answer(actions.apply_text(Actor.system(), text, file))


def diff(plan: Plan, folder: StateFolder, text: str, file: str) -> Answer:
    """What applying it would do. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.blueprints import queries
        from doorward.identity.events.actor import Actor

        return _answer(queries.tried(text, file, Actor.system()))


def diff_all(plan: Plan, folder: StateFolder) -> Answer:
    """Where the database says something else than the blueprints that are in force. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.blueprints import queries
        from doorward.identity.blueprints.errors import Unusable as BadBlueprint
        from doorward.identity.blueprints.models import BlueprintInstance

        lines: list[str] = []
        drifted = 0
        instances = list(BlueprintInstance.objects.filter(enabled=True))
        for instance in instances:
            try:
                report = queries.drift(instance)
                found = _answer(report).lines if report.differs else ()
            except BadBlueprint as bad:
                found = tuple(f"! {problem}" for problem in bad.problems)
            if found:
                drifted += 1
                lines += [f"# {instance.name}", *found]
        return Answer(tuple(lines), f"{drifted} of {len(instances)} blueprints differ", drifted > 0)


def export(plan: Plan, folder: StateFolder, model: str, name: str) -> str:
    """The object as a blueprint. Raises Unusable."""
    with ready(plan, folder):
        from doorward.identity.blueprints import exporting

        try:
            return exporting.export(exporting.one_called(model, name))
        except exporting.Unknown as error:
            raise Unusable(str(error)) from error


_SIGNS = {"created": "+", "changed": "~", "deleted": "-"}


def _answer(report: Report) -> Answer:
    lines = []
    for done in report.writes:
        lines.append(f"{_SIGNS[done.outcome]} {done.model} {done.name}")
        lines += [f"    {each.field}: {each.database!r} -> {each.blueprint!r}" for each in done.differences]
    lines += [f"! {warning}" for warning in report.warnings]
    return Answer(tuple(lines), report.counted, report.differs)
