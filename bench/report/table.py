"""One scenario as a Markdown table, each value with how many times better it is than the reference's."""

from __future__ import annotations

from figures import Column, Goal, Result


def table(result: Result) -> str:
    """Title, rows, goals."""
    scenario = result.scenario
    columns = [
        column
        for column in scenario.columns
        if any(result.value(variant, column.key) is not None for variant in result.turns)
    ]
    lines = [
        f"**{scenario.title}**",
        "",
        "| | " + " | ".join(column.title for column in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for variant in (*scenario.variants, *scenario.optional):
        if variant in result.worthless:
            reason = result.worthless[variant].splitlines()[0][:150].replace("|", "/")
            lines.append(f"| {variant} | thrown away: {reason} |" + " |" * (len(columns) - 1))
        elif variant in result.turns:
            cells = (_cell(result, variant, column, first=column is columns[0]) for column in columns)
            lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    goals = [text for goal in scenario.goals if (text := goal_text(result, goal))]
    return "\n".join([*lines, *(["", *goals] if goals else [])])


def goal_text(result: Result, goal: Goal) -> str:
    """One sentence about a goal; empty where nothing was measured."""
    reached = result.reached(goal)
    if reached is None:
        return ""
    value, good = reached
    title = next(column.title for column in result.scenario.columns if column.key == goal.column)
    verdict = "reached" if good else "not reached"
    name = f"{result.scenario.name}, {goal.variant}"
    if not goal.times:
        return f"- {name}, {title}: at most {goal.at_most:g} wanted, {value:.2f} found: {verdict}"
    if goal.at_most < 0.5:
        wanted, found = f"{1 / goal.at_most:g} times less", f"{1 / value:.1f} times"
    else:
        wanted, found = f"at most {goal.at_most:g} times", f"{value:.2f} times"
    return f"- {name}, {title}: {wanted} than {goal.times} wanted, {found} found: {verdict}".replace(
        "times than", "times that of"
    )


def _cell(result: Result, variant: str, column: Column, *, first: bool) -> str:
    value = result.value(variant, column.key)
    if value is None:
        return ""
    text = f"{value:,.{column.digits}f}"
    if first and len(result.turns[variant]) > 1:
        text += f" ±{result.spread(variant, column.key):,.{column.digits}f}"
    better = result.times_better(variant, column)
    return text if better is None else f"{text} ({better:.{1 if better >= 2 else 2}f}×)"
