"""What is counted about requests, under Traefik's names (``contracts/proxy.md`` section 13.1).

On the way of a request there is one dictionary look-up and some additions to plain integers: all requests that count
in the same series have one cell. The series, names and labels are put together only when somebody collects.
``collect`` gives what was added since the last time, so that the control side can sum over workers that come and go.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from doorward.messages.entry_points import Metrics
from doorward.proxy.access_log import INTERNAL_SERVICES
from doorward.proxy.account import Account

_KNOWN_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE"))

_Labels = tuple[str, str, int, bytes, str]
"""(router or empty, entry point or service, status, method, protocol)"""
_Path = tuple[str, str, str, int, bytes, bool, str, str, str, str]
"""What decides which series a request counts in: entry point, router, service, status, method, websocket, protocol,
TLS version and cipher, denial."""


@dataclass(slots=True)
class _Series:
    """One combination of labels, since the last collection."""

    buckets: list[int]
    """How many requests fell into each bucket, not yet summed up; the last is beyond all bounds."""
    seconds: float = 0.0
    received: int = 0
    sent: int = 0

    def add(self, other: _Series) -> None:
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds
        self.received += other.received
        self.sent += other.sent


@dataclass(slots=True)
class _Counter:
    """Something of which only the number counts."""

    count: int = 0


@dataclass(slots=True)
class _Kind:
    """entrypoint, router or service."""

    name: str
    series: dict[_Labels, _Series] = field(default_factory=dict)


@dataclass(slots=True)
class _Cell(_Series):
    """The requests of one path since the last collection."""

    series: list[_Series] = field(default_factory=list)
    """Everything that they add to."""
    counters: list[_Counter] = field(default_factory=list)

    def settle(self) -> None:
        """Add them."""
        for series in self.series:
            series.add(self)
        for counter in self.counters:
            counter.count += sum(self.buckets)


def _path(account: Account) -> _Path:
    # A client may invent methods; they must not become memory.
    method = account.method if account.method in _KNOWN_METHODS else b"EXTENSION_METHOD"
    facts = account.connection
    return (
        account.entry_point,
        account.router,
        account.service,
        account.status if account.grpc_status is None else account.grpc_status,
        method,
        account.websocket,
        account.protocol,
        facts.tls_version if facts is not None else "",
        facts.tls_cipher if facts is not None else "",
        account.denial,
    )


class MetricsBook:
    """Counts the exchanges of one worker. A ``Ledger``."""

    wants_headers = False

    def __init__(self, settings: Metrics) -> None:
        self.bounds = tuple(sorted(settings.buckets))
        self._entry_points = _Kind("entrypoint") if settings.add_entry_points_labels else None
        self._routers = _Kind("router") if settings.add_routers_labels else None
        self._services = _Kind("service") if settings.add_services_labels else None
        self._internals = frozenset[str]() if settings.add_internals else INTERNAL_SERVICES
        self.cells: dict[_Path, _Cell] = {}
        """What was counted since the last collection."""
        self._counters: dict[str, _Counter] = {}
        """By full series text."""
        self.guarded: frozenset[str] = frozenset()
        """Routers that ask an auth server: where one let a request pass, that was a decision as well."""
        self.open_connections: dict[str, int] = {}
        """By entry point, as they are now."""

    def record(self, account: Account) -> None:
        cell = self.cell_of(_path(account))
        seconds = account.seconds
        cell.buckets[bisect_left(self.bounds, seconds)] += 1
        cell.seconds += seconds
        cell.received += account.received
        cell.sent += account.sent
        if account.retries:
            name = f'traefik_service_retries_total{{service="{_label(account.service)}"}}'
            self._counter(name).count += account.retries

    def series(self, account: Account) -> CountedAlike:
        return CountedAlike(self, _path(account))

    def cell_of(self, path: _Path) -> _Cell:
        cell = self.cells.get(path)
        if cell is None:
            cell = self.cells[path] = self._cell(path)
        return cell

    def _cell(self, path: _Path) -> _Cell:
        entry_point, router, service, status, method, websocket, protocol, tls, cipher, denial = path
        if service in self._internals:
            return _Cell(self._no_requests())
        if websocket:
            status, protocol = 0, "websocket"
        found = []
        owners = []
        if self._entry_points is not None:
            found.append(self._series(self._entry_points, ("", entry_point, status, method, protocol)))
            owners.append(("entrypoint", _owner("entrypoint", "", entry_point)))
        if self._routers is not None and router:
            found.append(self._series(self._routers, (router, service, status, method, protocol)))
            owners.append(("router", _owner("router", router, service)))
        if self._services is not None and router:
            found.append(self._series(self._services, ("", service, status, method, protocol)))
            owners.append(("service", _owner("service", "", service)))
        counters = []
        if tls:
            counters += [
                self._counter(f'traefik_{kind}_requests_tls_total{{{owner},tls_cipher="{cipher}",tls_version="{tls}"}}')
                for kind, owner in owners
            ]
        if denial or router in self.guarded:
            name = f'doorward_decisions_total{{outcome="{denial or "pass"}",router="{_label(router)}"}}'
            counters.append(self._counter(name))
        return _Cell(self._no_requests(), series=found, counters=counters)

    def _counter(self, name: str) -> _Counter:
        return self._counters.setdefault(name, _Counter())

    def _series(self, kind: _Kind, labels: _Labels) -> _Series:
        return kind.series.setdefault(labels, _Series(self._no_requests()))

    def _no_requests(self) -> list[int]:
        return [0] * (len(self.bounds) + 1)

    def collect(self) -> dict[str, float]:
        """What was counted since the last call, by full series text, such as
        ``traefik_service_requests_total{code="200",method="GET",protocol="http",service="app@file"}``."""
        counted: dict[str, float] = {}
        for cell in self.cells.values():
            cell.settle()
        for kind in (self._entry_points, self._routers, self._services):
            if kind is not None:
                for key, series in kind.series.items():
                    self._write(counted, kind.name, key, series)
                kind.series.clear()
        for name, counter in self._counters.items():
            counted[name] = float(counter.count)
        self._counters.clear()
        # Series are made anew when they are needed again, so what no longer exists is no longer reported.
        self.cells = {}
        return counted

    def gauges(self) -> dict[str, float]:
        """What is the case now, by full series text."""
        return {
            f'traefik_open_connections{{entrypoint="{_label(name)}",protocol="TCP"}}': float(count)
            for name, count in self.open_connections.items()
        }

    def _write(self, counted: dict[str, float], kind: str, key: _Labels, series: _Series) -> None:
        router, name, status, method, protocol = key
        owner = _owner(kind, router, name)
        labels = f'code="{status}",method="{method.decode("ascii")}",protocol="{protocol}",{owner}'
        prefix = f"traefik_{kind}"
        total = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), series.buckets, strict=True):
            total += count
            counted[f'{prefix}_request_duration_seconds_bucket{{{labels},le="{bound}"}}'] = float(total)
        counted[f"{prefix}_request_duration_seconds_sum{{{labels}}}"] = series.seconds
        counted[f"{prefix}_request_duration_seconds_count{{{labels}}}"] = float(total)
        counted[f"{prefix}_requests_total{{{labels}}}"] = float(total)
        counted[f"{prefix}_requests_bytes_total{{{labels}}}"] = float(series.received)
        counted[f"{prefix}_responses_bytes_total{{{labels}}}"] = float(series.sent)


class CountedAlike:
    """Requests of one path. A ``Series``."""

    __slots__ = ("_book", "_bounds", "_cell", "_cells", "_path")

    def __init__(self, book: MetricsBook, path: _Path) -> None:
        self._book = book
        self._bounds = book.bounds
        self._path = path
        self._cells = book.cells
        """Of the time until the next collection."""
        self._cell = book.cell_of(path)

    def add(self, target: bytes, started_at: float, seconds: float, sent: int) -> None:
        if self._cells is not self._book.cells:
            self._cells = self._book.cells
            self._cell = self._book.cell_of(self._path)
        cell = self._cell
        cell.buckets[bisect_left(self._bounds, seconds)] += 1
        cell.seconds += seconds
        cell.sent += sent


def _owner(kind: str, router: str, name: str) -> str:
    """The labels that say whose series it is."""
    if kind == "entrypoint":
        return f'entrypoint="{_label(name)}"'
    service = f'service="{_label(name)}"'
    return f'router="{_label(router)}",{service}' if kind == "router" else service


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
