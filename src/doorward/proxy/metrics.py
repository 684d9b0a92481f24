"""What is counted about requests, under Traefik's names (``contracts/proxy.md`` section 13.1).

On the way of a request there are three dictionary look-ups and some additions to plain integers; names and labels
are put together only when somebody collects. ``collect`` gives what was added since the last time, so that the
control side can sum over workers that come and go.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from doorward.messages.entry_points import Metrics
from doorward.proxy.access_log import INTERNAL_SERVICES
from doorward.proxy.account import Account

_KNOWN_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE"))

_Labels = tuple[str, str, int, bytes, bool]
"""(router or empty, entry point or service, status, method, websocket)"""
_Path = tuple[str, str, str, int, bytes, bool]
"""What decides which series a request counts in: entry point, router, service, status, method, websocket."""


@dataclass(slots=True)
class _Series:
    """One combination of labels, since the last collection."""

    buckets: list[int]
    """How many requests fell into each bucket, not yet summed up; the last is beyond all bounds."""
    seconds: float = 0.0
    received: int = 0
    sent: int = 0


@dataclass(slots=True)
class _Kind:
    """entrypoint, router or service."""

    name: str
    series: dict[_Labels, _Series] = field(default_factory=dict)


class MetricsBook:
    """Counts the exchanges of one worker. A ``Ledger``."""

    def __init__(self, settings: Metrics) -> None:
        self._bounds = tuple(sorted(settings.buckets))
        self._entry_points = _Kind("entrypoint") if settings.add_entry_points_labels else None
        self._routers = _Kind("router") if settings.add_routers_labels else None
        self._services = _Kind("service") if settings.add_services_labels else None
        self._known: dict[_Path, list[_Series]] = {}
        self.open_connections: dict[str, int] = {}
        """By entry point, as they are now."""

    def record(self, account: Account) -> None:
        # A client may invent methods; they must not become memory.
        method = account.method if account.method in _KNOWN_METHODS else b"EXTENSION_METHOD"
        path = (account.entry_point, account.router, account.service, account.status, method, account.websocket)
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._series_of(path)
        if known:
            bucket = bisect_left(self._bounds, account.seconds)
            for series in known:
                series.buckets[bucket] += 1
                series.seconds += account.seconds
                series.received += account.received
                series.sent += account.sent

    def _series_of(self, path: _Path) -> list[_Series]:
        entry_point, router, service, status, method, websocket = path
        if service in INTERNAL_SERVICES:
            return []
        if websocket:
            status = 0
        found = []
        if self._entry_points is not None:
            found.append(self._series(self._entry_points, ("", entry_point, status, method, websocket)))
        if self._routers is not None and router:
            found.append(self._series(self._routers, (router, service, status, method, websocket)))
        if self._services is not None and router:
            found.append(self._series(self._services, ("", service, status, method, websocket)))
        return found

    def _series(self, kind: _Kind, labels: _Labels) -> _Series:
        return kind.series.setdefault(labels, _Series([0] * (len(self._bounds) + 1)))

    def collect(self) -> dict[str, float]:
        """What was counted since the last call, by full series text, such as
        ``traefik_service_requests_total{code="200",method="GET",protocol="http",service="app@file"}``."""
        counted: dict[str, float] = {}
        for kind in (self._entry_points, self._routers, self._services):
            if kind is not None:
                for key, series in kind.series.items():
                    self._write(counted, kind.name, key, series)
                kind.series.clear()
        # Series are made anew when they are needed again, so what no longer exists is no longer reported.
        self._known.clear()
        return counted

    def gauges(self) -> dict[str, float]:
        """What is the case now, by full series text."""
        return {
            f'traefik_open_connections{{entrypoint="{_label(name)}",protocol="TCP"}}': float(count)
            for name, count in self.open_connections.items()
        }

    def _write(self, counted: dict[str, float], kind: str, key: _Labels, series: _Series) -> None:
        router, name, status, method, websocket = key
        protocol = "websocket" if websocket else "http"
        owner = f'service="{_label(name)}"' if kind != "entrypoint" else f'entrypoint="{_label(name)}"'
        if kind == "router":
            owner = f'router="{_label(router)}",{owner}'
        labels = f'code="{status}",method="{method.decode("ascii")}",protocol="{protocol}",{owner}'
        prefix = f"traefik_{kind}"
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), series.buckets, strict=True):
            total += count
            counted[f'{prefix}_request_duration_seconds_bucket{{{labels},le="{bound}"}}'] = float(total)
        counted[f"{prefix}_request_duration_seconds_sum{{{labels}}}"] = series.seconds
        counted[f"{prefix}_request_duration_seconds_count{{{labels}}}"] = float(total)
        counted[f"{prefix}_requests_total{{{labels}}}"] = float(total)
        counted[f"{prefix}_requests_bytes_total{{{labels}}}"] = float(series.received)
        counted[f"{prefix}_responses_bytes_total{{{labels}}}"] = float(series.sent)


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
