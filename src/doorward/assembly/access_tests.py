"""What ``doorward check --access`` does: judge a file's statements about who reaches what, against the database."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.assembly.django_alone import Unusable, set_up
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan

__all__ = ["Report", "Unusable", "judge"]


@dataclass(frozen=True, slots=True)
class Report:
    lines: tuple[str, ...]
    """``line N: statement: why``, of each that is not true."""
    number: int
    """Of all statements."""


def judge(plan: Plan, folder: StateFolder, text: str) -> Report:
    """Raises Unusable, also for a file that is none."""
    set_up(plan, folder)
    from django.db import Error

    from doorward.identity.reach import statements

    try:
        outcomes = statements.judge(statements.read(text))
    except statements.BadStatements as error:
        raise Unusable(str(error)) from error
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error
    wrong = [each for each in outcomes if not each.is_true]
    return Report(
        tuple(f"line {each.statement.line}: {each.statement}: {each.reason}" for each in wrong), len(outcomes)
    )
