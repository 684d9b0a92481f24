"""The routing table as it should be, again and again, with the tables made in this very process.

For whoever looks once (``doorward check``). The control process has them made elsewhere (``assembly.compiler``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from doorward.config.listening import routes_plan
from doorward.config.static import StaticConfiguration
from doorward.messages.compiling import Failed, Kept, RoutesMade, Routing
from doorward.messages.outposts import OutpostConfiguration
from doorward.sources import following
from doorward.sources.applications import ProxiedApplications
from doorward.sources.compile import Surroundings
from doorward.sources.route_maker import RouteMaker

__all__ = ["Failed", "Routing", "follow"]


async def follow(
    static: StaticConfiguration,
    reload: asyncio.Event | None = None,
    applications: ProxiedApplications | None = None,
) -> AsyncGenerator[Routing | Failed, None]:
    """``sources.following``, with the tables made in this process."""
    maker = RouteMaker(static, Surroundings())

    async def make(read: bool, outposts: OutpostConfiguration) -> RoutesMade:
        made = await asyncio.to_thread(maker.make, read, outposts)
        return RoutesMade(made.outcome, maker.files, Kept())

    plan = routes_plan(static)
    async for outcome in following.follow(make, plan, applications or ProxiedApplications(), reload):
        yield outcome
