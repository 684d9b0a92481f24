"""Which path answers what."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from doorward import __version__
from doorward.assembly.api.lists import BadQuestion, chosen
from doorward.messages.compiling import ApiObjects, Json
from doorward.messages.control import ApiAnswer, ServersHealth

_KINDS = {"routers": "router", "services": "service", "middlewares": "middleware"}
_NEVER_HERE = {("tcp", "routers"), ("tcp", "services"), ("tcp", "middlewares"), ("udp", "routers"), ("udp", "services")}


class Api:
    """See the package."""

    def __init__(self, health: Callable[[], ServersHealth]) -> None:
        self._health = health
        self._started = datetime.now(UTC)
        self._objects = ApiObjects()

    def use(self, objects: ApiObjects) -> None:
        """These are in force from now on."""
        self._objects = objects

    def answer(self, ticket: int, path: str, query: str) -> ApiAnswer:
        """The answer to a GET of ``path`` (as it came) with ``query``."""
        if not path.startswith(self._objects.base + "/"):
            return _missing(ticket)
        if path.endswith("/"):
            return _missing(ticket)
        parts = [unquote(part) for part in path[len(self._objects.base) + 1 :].split("/")]
        try:
            return self._routed(ticket, parts, query)
        except BadQuestion as error:
            return _error(ticket, 400, str(error))

    def _routed(self, ticket: int, parts: list[str], query: str) -> ApiAnswer:
        match parts:
            case ["version"]:
                return _json(ticket, self._version())
            case ["overview"]:
                return _json(ticket, self._overview())
            case ["rawdata"]:
                return _json(ticket, self._raw())
            case ["entrypoints"]:
                return _list(ticket, self._objects.entry_points, query)
            case ["entrypoints", name]:
                return _one(ticket, self._objects.entry_points, "entry point", name)
            case ["certificates"]:
                return _list(ticket, self._objects.certificates, query)
            case ["certificates", name]:
                return _one(ticket, self._objects.certificates, "certificate", name)
            case ["http", kind] if kind in _KINDS:
                return _list(ticket, self._of(kind), query)
            case ["http", kind, name] if kind in _KINDS:
                return _one(ticket, self._of(kind), _KINDS[kind], name)
            case [protocol, kind] if (protocol, kind) in _NEVER_HERE:
                return _list(ticket, [], query)
            case [protocol, kind, name] if (protocol, kind) in _NEVER_HERE:
                return _one(ticket, [], _KINDS[kind], name)
        return _missing(ticket)

    def _of(self, kind: str) -> Sequence[Json]:
        if kind == "routers":
            return self._objects.routers
        return self._services() if kind == "services" else self._objects.middlewares

    def _services(self) -> list[Json]:
        """With what the health checks say; a server of which nothing is known is up."""
        health = self._health()
        down = {(each.service, each.url) for each in health.checked if not each.up}
        down |= {(each.service, each.url) for each in health.resting}
        return [_with_status(service, down) for service in self._objects.services]

    def _version(self) -> Json:
        started = self._started.isoformat().replace("+00:00", "Z")
        return {"Version": __version__, "Codename": "doorward", "startDate": started}

    def _overview(self) -> Json:
        nothing = {"total": 0, "warnings": 0, "errors": 0}
        return {
            "http": {kind: _counted(self._of(kind)) for kind in _KINDS},
            "tcp": dict.fromkeys(_KINDS, nothing),
            "udp": {"routers": nothing, "services": nothing},
            "certificates": _counted(self._objects.certificates),
            "features": self._objects.features,
            "providers": self._objects.providers,
        }

    def _raw(self) -> Json:
        names = ("name", "provider", "priorityStr", "type")
        found = {kind: {str(each["name"]): _without(each, *names) for each in self._of(kind)} for kind in _KINDS}
        return {kind: objects for kind, objects in found.items() if objects}


def _counted(objects: Sequence[Json]) -> Json:
    statuses = [each.get("status") for each in objects]
    return {
        "total": len(statuses),
        "warnings": statuses.count("warning"),
        "errors": statuses.count("disabled") + statuses.count("expired"),
    }


def _without(found: Json, *names: str) -> Json:
    """``found`` without the keys ``names``."""
    return {name: value for name, value in found.items() if name not in names}


def _with_status(service: Json, down: set[tuple[str, str]]) -> Json:
    balancer = service.get("loadBalancer")
    if balancer is None or "usedBy" not in service:
        return service
    urls = [server["url"] for server in balancer.get("servers", ())]
    status = {url: "DOWN" if (service["name"], url) in down else "UP" for url in urls}
    return {**service, "serverStatus": status} if status else service


def _json(ticket: int, said: object, next_page: int = 0) -> ApiAnswer:
    body = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return ApiAnswer(ticket, 200, "application/json", body, next_page)


def _list(ticket: int, objects: Sequence[Json], query: str) -> ApiAnswer:
    found, next_page = chosen(objects, query)
    return _json(ticket, found, next_page)


def _one(ticket: int, objects: Sequence[Json], kind: str, name: str) -> ApiAnswer:
    for each in objects:
        if each["name"] == name:
            return _json(ticket, each)
    return _error(ticket, 404, f"{kind} not found: {name}")


def _error(ticket: int, status: int, message: str) -> ApiAnswer:
    body = json.dumps({"message": message}, separators=(",", ":")).encode() + b"\n"
    return ApiAnswer(ticket, status, "text/plain; charset=utf-8", body)


def _missing(ticket: int) -> ApiAnswer:
    return ApiAnswer(ticket, 404, "text/plain; charset=utf-8", b"404 page not found\n")
