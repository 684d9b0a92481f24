"""Which applications this program stands before itself, as the identity provider says: a source of routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from doorward.messages.outposts import OutpostConfiguration, ProxyProvider


class ProxiedApplications:
    """Which applications are in proxy mode, as the identity provider says now."""

    def __init__(self) -> None:
        self.known = OutpostConfiguration()
        self._changed = asyncio.Event()

    def use(self, configuration: OutpostConfiguration) -> None:
        """From now on this is what the outposts serve."""
        known = of_proxy_mode(configuration)
        if known != self.known:
            self.known = known
            self._changed.set()

    async def results(self) -> AsyncGenerator[OutpostConfiguration, None]:
        """What is known, whenever it has become something else. Never ends."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield self.known


def of_proxy_mode(configuration: OutpostConfiguration) -> OutpostConfiguration:
    """The part of ``configuration`` that routes are made of: equal parts make equal routes."""
    kept = [provider for provider in _served(configuration.providers) if provider.mode == "proxy"]
    return OutpostConfiguration(providers=tuple(kept), additional_headers=configuration.additional_headers)


def _served(providers: Iterable[ProxyProvider]) -> Iterable[ProxyProvider]:
    """Without those whose outside URL an older one has: the outpost judges for the older one (``Applications``)."""
    claimed = set()
    for provider in sorted(providers, key=lambda provider: provider.pk):
        claim = (provider.external_host.lower(), provider.cookie_domain if provider.mode == "forward_domain" else "")
        if claim not in claimed:
            claimed.add(claim)
            yield provider
