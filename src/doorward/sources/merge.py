"""Several files make one provider's configuration: the first to define a name keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from doorward.config.dynamic import DynamicConfiguration, Http
from doorward.config.tls import Tls

T = TypeVar("T")


def merge(files: Iterable[tuple[str, DynamicConfiguration]]) -> tuple[DynamicConfiguration, tuple[str, ...]]:
    """The configurations of ``files`` (name, content; in the order in which they count) as one.

    Also what was left out because an earlier file has it, one sentence each.
    """
    given = list(files)
    notices: list[str] = []
    merged = DynamicConfiguration(
        http=Http(
            routers=_first(((name, file.http.routers) for name, file in given), "router", notices),
            services=_first(((name, file.http.services) for name, file in given), "service", notices),
            middlewares=_first(((name, file.http.middlewares) for name, file in given), "middleware", notices),
            servers_transports=_first(
                ((name, file.http.servers_transports) for name, file in given), "serversTransport", notices
            ),
        ),
        tls=Tls(
            certificates=tuple(certificate for _, file in given for certificate in file.tls.certificates),
            stores=_first(((name, file.tls.stores) for name, file in given), "TLS store", notices),
            options=_first(((name, file.tls.options) for name, file in given), "set of TLS options", notices),
        ),
    )
    return merged, tuple(notices)


def _first(files: Iterator[tuple[str, Mapping[str, T]]], kind: str, notices: list[str]) -> dict[str, T]:
    merged: dict[str, T] = {}
    origin: dict[str, str] = {}
    for file, objects in files:
        for name, made in objects.items():
            if name in merged:
                notices.append(f"{file}: the {kind} {name!r} is ignored: {origin[name]} has it already")
            else:
                merged[name] = made
                origin[name] = file
    return merged
