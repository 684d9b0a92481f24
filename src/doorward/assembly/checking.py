"""What ``doorward check`` finds: the configuration as the control process would take it, once, without serving."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from doorward.config.static import StaticConfiguration
from doorward.sources.routes import Failed, follow


@dataclass(frozen=True, slots=True)
class Verdict:
    problems: str = ""
    """One reason a line; empty when it can be used."""
    warnings: tuple[str, ...] = ()
    routers: int = 0
    services: int = 0


async def verdict(static: StaticConfiguration) -> Verdict:
    """Read every source of ``static`` once."""
    async with aclosing(follow(static)) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Failed):
                return Verdict(problems=outcome.problems)
            return Verdict("", outcome.warnings, len(outcome.table.routers), len(outcome.table.services))
    return Verdict(problems="no source gave a configuration")
