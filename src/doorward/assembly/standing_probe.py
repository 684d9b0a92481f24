"""The standing probe: looks at every protected application from outside, again and again, when it is switched on.

What it wants to know is whether an anonymous request is ever let through, and whether the outpost answers. A hole is
an event at once; silence is one when a second look confirms it. Few looks run at a time, spread over the interval by
chance, so that nobody's proxy sees them in a rush.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from doorward.config.skip_rules import Opening, SkipRules
from doorward.doctor import probe
from doorward.doctor.probe import Look, Target
from doorward.messages.decisions import GUARDED, NOT_YET, OPEN, SILENT, Probed, ProbesFound
from doorward.messages.http import HttpQuestion
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.sessions import ReportMisconfiguration
from doorward.net.client import Client, Origin, TooLarge, Unreachable

log = logging.getLogger(__name__)

_chance = secrets.SystemRandom()

AT_ONCE = 4
AGAIN = 10.0
"""Seconds after which silence is looked at a second time."""
REMIND = 86400.0
"""Seconds after which the event about a hole that is still there is repeated."""


class StandingProbe:
    def __init__(
        self,
        interval: float,
        report: Callable[[ReportMisconfiguration], Awaitable[None]],
        seen: Callable[[], None],
        ca_pem: str = "",
    ) -> None:
        """``interval``: seconds between two looks at one application. ``report`` makes an event; ``seen`` is called
        after each look."""
        self._looked = seen
        self._interval = interval
        self._report = report
        self._ca_pem = ca_pem
        self._providers: dict[int, ProxyProvider] = {}
        self._seen: dict[int, Probed] = {}
        self._told: dict[int, float] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._changed = asyncio.Event()

    def use(self, configuration: OutpostConfiguration) -> None:
        """From now on these applications are looked at; new ones and changed ones soon."""
        before = self._providers
        self._providers = {provider.pk: provider for provider in configuration.providers}
        for pk in [pk for pk in self._seen if before.get(pk) != self._providers.get(pk)]:
            del self._seen[pk]
            self._told.pop(pk, None)
        self._changed.set()

    def found(self) -> ProbesFound:
        nothing = [
            Probed(pk, provider.application_slug, provider.external_host, NOT_YET)
            for pk, provider in self._providers.items()
            if pk not in self._seen
        ]
        return ProbesFound(self._interval, (*self._seen.values(), *nothing))

    def gauges(self) -> dict[str, float]:
        """By full series text: 1 where a stranger is sent to log in."""
        series = {}
        for seen in self._seen.values():
            label = f'{{application="{seen.application}"}}'
            series[f"doorward_probe_guarded{label}"] = float(seen.outcome == GUARDED)
            series[f"doorward_probe_open{label}"] = float(seen.outcome == OPEN)
        return series

    async def run(self) -> None:
        """For ever."""
        while True:
            due = [provider for pk, provider in self._providers.items() if self._is_due(pk)]
            await asyncio.gather(*(self._look_at(provider) for provider in due))
            self._changed.clear()
            try:
                # By chance a little earlier or later: several installations must not fall into step.
                async with asyncio.timeout(min(self._interval, 30.0) * _chance.uniform(0.8, 1.2)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _is_due(self, pk: int) -> bool:
        seen = self._seen.get(pk)
        return seen is None or time.time() - seen.at >= self._interval

    async def _look_at(self, provider: ProxyProvider) -> None:
        await asyncio.sleep(_chance.uniform(0, min(2.0, self._interval / 10)))
        async with self._places:
            target = target_of(provider)
            found = await probe.look(target, self._ca_pem)
            if found.outcome == SILENT:
                await asyncio.sleep(min(AGAIN, self._interval / 10))
                found = await probe.look(target, self._ca_pem)
        if self._providers.get(provider.pk) == provider:
            await self._saw(provider, found)

    async def _saw(self, provider: ProxyProvider, found: Look) -> None:
        now, before = time.time(), self._seen.get(provider.pk)
        same = before is not None and before.outcome == found.outcome
        since = before.since if before is not None and same else now
        self._seen[provider.pk] = Probed(
            provider.pk, provider.application_slug, provider.external_host, found.outcome, found.detail, now, since
        )
        self._looked()
        if found.outcome == GUARDED:
            self._told.pop(provider.pk, None)
            return
        if same and now - self._told.get(provider.pk, 0.0) < REMIND:
            return
        self._told[provider.pk] = now
        what = "An anonymous request was let through" if found.outcome == OPEN else "The outpost does not answer"
        message = f"{what} at {provider.external_host}: {found.detail}."
        await self._report(ReportMisconfiguration(message, provider.pk, "", provider.external_host))


def target_of(provider: ProxyProvider) -> Target:
    """How the provider's external host is looked at."""
    rules = SkipRules(provider.skip_path_regex, provider.name)
    whole_domain = provider.mode == "forward_domain"
    return Target(
        provider.external_host,
        provider.client_id,
        lambda path: rules.opening(path) is Opening.OPEN,
        whole_domain=whole_domain,
    )


async def report_by_rpc(door: Path, report: ReportMisconfiguration) -> None:
    """Make an event of it at the identity provider; one that cannot be made stands in the log."""
    question = HttpQuestion(b"POST", b"/rpc/report", ((b"Host", b"identity"),), msgspec.msgpack.encode(report))
    client = Client()
    try:
        await client.fetch(question, Origin("unix", path=str(door)), timeout=5.0)
    except (Unreachable, TooLarge):
        log.error("%s (the event could not be stored)", report.message)
    else:
        log.warning("%s", report.message)
    finally:
        await client.close()
