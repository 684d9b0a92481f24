"""What ``doorward check`` finds: the configuration as the control process would take it, once, without serving."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from doorward.config import letters
from doorward.config.static import StaticConfiguration
from doorward.identity.languages.supported import LANGUAGES
from doorward.sources.routes import Failed, follow


@dataclass(frozen=True, slots=True)
class Verdict:
    problems: str = ""
    """One reason a line; empty when it can be used."""
    warnings: tuple[str, ...] = ()
    routers: int = 0
    services: int = 0


async def verdict(static: StaticConfiguration, beside: Path) -> Verdict:
    """Read every source of ``static`` once. ``beside``: the folder that paths in it begin from."""
    found = await _routes(static)
    return replace(found, warnings=(*found.warnings, *_letters(static, beside)))


async def _routes(static: StaticConfiguration) -> Verdict:
    async with aclosing(follow(static)) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Failed):
                return Verdict(problems=outcome.problems)
            return Verdict("", outcome.warnings, len(outcome.table.routers), len(outcome.table.services))
    return Verdict(problems="no source gave a configuration")


def _letters(static: StaticConfiguration, beside: Path) -> tuple[str, ...]:
    """What is wrong with templates of letters: no reason not to start, for the built-in ones are sent instead."""
    if static.identity is None:
        return ()
    named = static.identity.templates
    folder = beside / named if named else Path(static.identity.data) / "templates"
    if named and not folder.is_dir():
        return (f"identity.templates: there is no folder {folder}",)
    wrong = letters.problems(folder, [code for code, _ in LANGUAGES])
    return tuple(f"{problem} (the built-in letter is sent instead)" for problem in wrong)
