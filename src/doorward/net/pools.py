"""All pools of a worker: equal origins with equal settings share one, before and after a change of configuration."""

from __future__ import annotations

from weakref import WeakValueDictionary

from doorward.net.origin import Origin
from doorward.net.pool import Pool, PoolSettings


class Pools:
    """A pool lives as long as somebody uses it or it has connections; idle ones time out in ``sweep``."""

    def __init__(self) -> None:
        self._pools: WeakValueDictionary[tuple[Origin, PoolSettings], Pool] = WeakValueDictionary()

    def of(self, origin: Origin, settings: PoolSettings) -> Pool:
        pool = self._pools.get((origin, settings))
        if pool is None:
            pool = self._pools[origin, settings] = Pool(origin, settings)
        return pool

    def sweep(self, now: float) -> None:
        """Close what was idle for too long; call about once a second with the monotonic time."""
        for pool in list(self._pools.values()):
            pool.sweep(now)

    def close(self) -> None:
        for pool in list(self._pools.values()):
            pool.close()
