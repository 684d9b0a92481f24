"""``api@internal``: who may ask, what is kept back, where it is served."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from doorward.assembly.api.answers import Api
from doorward.assembly.api.objects import api_objects
from doorward.assembly.api.written import go_duration
from doorward.assembly.api_door import MOST_WAITING, ApiDoor
from doorward.config.decode import decode, read_document
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError
from doorward.config.static import StaticConfiguration
from doorward.messages.control import ApiAnswer, ApiQuestion, ServerHealth, ServersHealth
from doorward.sources.compile import compile_table
from proxy.made import admitted

DYNAMIC = """
http:
  routers:
    app: {rule: "Host(`a`)", service: app, middlewares: [fields]}
  middlewares:
    fields: {headers: {customRequestHeaders: {Authorization: "Bearer s3cret", X-Api-Key: s3cret, X-Plain: shown}}}
    ask: {forwardAuth: {address: "http://127.0.0.1:1/", tls: {cert: shown.pem, key: s3cret}}}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:2"}], healthCheck: {path: /}}}
"""


def document(folder: Path, text: str) -> Any:
    (folder / "written.yml").write_text(text)
    return read_document(folder / "written.yml")


def static(folder: Path, text: str) -> StaticConfiguration:
    return decode(document(folder, text), StaticConfiguration)


def api(folder: Path, health: ServersHealth = ServersHealth(), base: str = "/") -> Api:  # noqa: B008 - frozen
    asked = static(folder, f"entryPoints: {{web: {{address: ':80'}}}}\napi: {{basePath: '{base}'}}\n")
    dynamic = decode(document(folder, DYNAMIC), DynamicConfiguration)
    made = Api(lambda: health)
    made.use(api_objects(asked, {"file": dynamic}, compile_table(asked, {"file": dynamic}).table))
    return made


def test_secrets_do_not_leave(tmp_path: Path) -> None:
    """Values that prove something are shown as ``REDACTED``, wherever one asks."""
    # S-617
    made = api(tmp_path)

    for path in ("/api/rawdata", "/api/http/middlewares", "/api/http/middlewares/fields@file"):
        body = made.answer(1, path, "").body
        assert b"s3cret" not in body
        assert b"REDACTED" in body
    assert b'"X-Plain":"shown"' in made.answer(1, "/api/rawdata", "").body


def test_a_server_that_is_down_is_shown_as_down(tmp_path: Path) -> None:
    """``serverStatus`` is what the health checks found."""
    down = ServersHealth((ServerHealth("app@file", "http://127.0.0.1:2", False),))

    service = json.loads(api(tmp_path, down).answer(1, "/api/http/services/app@file", "").body)

    assert service["serverStatus"] == {"http://127.0.0.1:2": "DOWN"}


def test_a_base_path_comes_first(tmp_path: Path) -> None:
    """``api.basePath``, and nothing beside it."""
    made = api(tmp_path, base="/deep/")

    assert made.answer(1, "/deep/api/version", "").status == 200
    assert made.answer(1, "/api/version", "").status == 404


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "500ms"), (1, "1s"), (180, "3m0s"), (5400.25, "1h30m0.25s"), (0, "0s"), (1e-6, "1µs")]
)
def test_durations_are_written_as_in_the_original(seconds: float, text: str) -> None:
    """What scripts parse."""
    assert go_duration(seconds) == text


def test_it_is_nowhere_unless_asked_for(tmp_path: Path) -> None:
    """No section: no service. A section: a service for a router of yours. ``insecure``: a router, and a warning."""
    # S-232
    nothing = compile_table(static(tmp_path, "ping: {}\n"), {})
    plain = compile_table(static(tmp_path, "api: {}\n"), {})
    insecure = compile_table(static(tmp_path, "api: {insecure: true}\n"), {})

    assert "api@internal" not in nothing.table.services
    assert "api@internal" in plain.table.services
    assert [router.name for router in plain.table.routers] == []
    (router,) = insecure.table.routers
    assert (router.name, router.entry_points, router.rule_text) == ("api@internal", ("traefik",), "PathPrefix(`/api`)")
    assert any("api.insecure" in warning for warning in insecure.warnings)


@pytest.mark.parametrize("option", ["dashboard: true", "debug: true", "basePath: 'x y'"])
def test_what_does_not_exist_is_an_error(tmp_path: Path, option: str) -> None:
    """Nothing is silently ignored."""
    with pytest.raises(ConfigurationError, match=option.partition(":")[0]):
        static(tmp_path, f"api: {{{option}}}\n")


async def test_the_door_only_passes_questions_on() -> None:
    """The answer of the control process, whole; 405 to whoever wants to write; 503 when nobody answers."""
    asked: list[ApiQuestion] = []

    def ask(question: ApiQuestion) -> bool:
        asked.append(question)
        return len(asked) < 3

    door = ApiDoor(ask)

    async def answer(method: bytes = b"GET") -> Any:
        outcome = door.answer(admitted(method=method, target=b"/api/http/routers?page=2"), b"")
        return outcome if not asyncio.iscoroutine(outcome) else await outcome

    assert (await answer(b"DELETE")).status == 405
    waiting = asyncio.ensure_future(answer())
    await asyncio.sleep(0)
    door.arrived(ApiAnswer(asked[0].ticket, 200, "application/json", b"[]\n", 3))
    done = await waiting
    assert (asked[0].path, asked[0].query) == ("/api/http/routers", "page=2")
    assert (done.status, done.body, dict(done.headers)[b"X-Next-Page"]) == (200, b"[]\n", b"3")
    left = asyncio.ensure_future(answer())
    await asyncio.sleep(0)
    assert (await answer()).status == 503
    assert MOST_WAITING > 1
    left.cancel()
