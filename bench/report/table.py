"""One scenario as a Markdown table, each value with how many times better it is than the reference's."""

from __future__ import annotations

from figures import Goal, Result


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
            cells = (_cell(result, variant, number) for number in range(len(columns)))
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
    if not goal.times:
        return f"- {goal.variant}, {title}: at most {goal.at_most:g} wanted, {value:.2f} found: {verdict}"
    if goal.at_most < 0.5:
        wanted, found = f"{1 / goal.at_most:g} times less", f"{1 / value:.1f} times"
    else:
        wanted, found = f"at most {goal.at_most:g} times", f"{value:.2f} times"
    return f"- {goal.variant}, {title}: {wanted} than {goal.times} wanted, {found} found: {verdict}".replace(
        "times than", "times that of"
    )


def _cell(result: Result, variant: str, number: int) -> str:
    columns = [
        column
        for column in result.scenario.columns
        if any(result.value(each, column.key) is not None for each in result.turns)
    ]
    column = columns[number]
    value = result.value(variant, column.key)
    if value is None:
        return ""
    text = f"{value:,.{column.digits}f}"
    if number == 0 and len(result.turns[variant]) > 1:
        text += f" ±{result.spread(variant, column.key):,.{column.digits}f}"
    better = result.times_better(variant, column)
    return (
        f"{text} ({better:.2g}×)"
        if better is not None and better < 10
        else text + (f" ({better:.1f}×)" if better else "")
    )
