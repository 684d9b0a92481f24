"""The doctor, sent by an administrator to an application's own external host and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from doorward.messages.decisions import Examine, Examined, Finding
from doorward.messages.outposts import OutpostConfiguration

PATIENCE = 60.0
"""Seconds for one examination."""
AT_ONCE = 2


class Examinations:
    def __init__(self, outposts: Callable[[], OutpostConfiguration | None], authority: Callable[[], str]) -> None:
        """``outposts``: what is served now; ``authority``: one to believe beside the system's, PEM."""
        self._outposts = outposts
        self._authority = authority
        self._running = 0

    async def make(self, asked: Examine) -> Examined:
        served = self._outposts()
        providers = {} if served is None else {provider.pk: provider for provider in served.providers}
        provider = providers.get(asked.provider)
        if provider is None:
            return Examined(problem="the embedded outpost does not serve this provider")
        if self._running >= AT_ONCE:
            return Examined(problem="other examinations are under way; try again in a moment")
        self._running += 1
        try:
            return Examined(provider.external_host, tuple(await self._findings(provider.external_host)))
        finally:
            self._running -= 1

    async def _findings(self, url: str) -> list[Finding]:
        # Few ask for it; the others need not carry it.
        from doorward.doctor.examination import Examination
        from doorward.doctor.probe import is_no_ones_server

        found: list[Finding] = []
        examination = Examination(url, ca_pem=self._authority(), refuse=is_no_ones_server)
        try:
            async with asyncio.timeout(PATIENCE):
                async for finding in examination.findings():
                    found.append(finding)  # noqa: PERF401 - what was found before the time is over counts
        except TimeoutError:
            found.append(Finding("fault", "unreachable", f"The examination did not end within {PATIENCE:.0f} seconds."))
        return found
