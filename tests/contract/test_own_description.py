"""Our description of the API holds: what it allows is answered, never with 5xx, and as it says.

schemathesis makes the requests out of the description: every operation, with values that are just about allowed, about
objects that exist. Each request is undone. ``DOORWARD_EXAMPLES`` asks for more than the few that a change waits for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import schemathesis.core
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings

from identity.conftest import *  # noqa: F403 - the same installation, the same people

EXAMPLES = int(os.environ.get("DOORWARD_EXAMPLES", "1"))
KEY = "described-" + "k" * 51
pytestmark = pytest.mark.django_db


class _Undo(Exception):
    """Ends the transaction of one request."""


@pytest.fixture
def client(whoami: Any, akadmin: Any) -> Client:
    """A superuser's program, in an installation that has one object of nearly every kind."""
    from doorward.identity.directory.actions import create_token
    from doorward.identity.directory.models import Token
    from doorward.identity.events.actor import Actor

    create_token(Actor.system(), user=akadmin, identifier="described", intent=Token.Intent.API, key=KEY)
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {KEY}"})


@cache
def described() -> dict[str, Any]:
    from doorward.identity.api.openapi import description

    return description()


ROOMS = (
    "admin",
    "authenticators",
    "core",
    "crypto",
    "doorward",
    "events",
    "flows",
    "managed",
    "outposts",
    "policies",
    "propertymappings",
    "providers",
    "rbac",
    "root",
    "sources",
    "stages",
    "",
)
"""Parts of the API, tried one by one; the last is whatever is in no other."""


def operations(room: str) -> Iterator[Any]:
    whole = described()
    part = {path: methods for path, methods in whole["paths"].items() if _room_of(path) == room}
    for found in schemathesis.openapi.from_dict({**whole, "paths": part}).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        yield operation


def _room_of(path: str) -> str:
    room = path.split("/")[1]
    return room if room in ROOMS else ""


def keys_of(path: str) -> dict[str, str]:
    """What fills the path's parameters so that something is there."""
    from doorward.identity.api.routes import RESOURCES

    prefix = max((each for each in RESOURCES if path.startswith(f"/{each}/")), key=len, default="")
    names = re.findall(r"\{(\w+)\}", path)
    if not prefix or len(names) != 1:
        return {}
    resource: Any = RESOURCES[prefix]
    thing = resource.queryset.first() if getattr(resource, "queryset", None) is not None else None
    return {} if thing is None else {names[0]: str(getattr(thing, resource.lookup_field))}


@pytest.mark.parametrize("room", ROOMS)
def test_what_the_description_allows_is_answered_as_it_says(client: Client, room: str) -> None:
    """No 5xx, no answer of another form, no success that is not described."""
    wrong: set[str] = set()
    for operation in operations(room):
        wrong |= _tried(client, operation)
    assert not wrong, "\n".join(sorted(wrong))


def _tried(client: Client, operation: Any) -> set[str]:
    """What is wrong with the answers of one operation."""
    wrong: set[str] = set()
    keys = keys_of(operation.path)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        try:
            with transaction.atomic():
                wrong.update(_problems(client, operation, case, keys))
                raise _Undo
        except _Undo:
            pass

    ask()
    return wrong


def _problems(client: Client, operation: Any, case: Any, keys: dict[str, str]) -> Iterator[str]:
    case.path_parameters = {**(case.path_parameters or {}), **keys}
    answer = _asked(client, case)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    what = f"{operation.label} {case.query or ''} {str(case.body)[:200]}"
    if answer.status_code == 503 and operation.path.startswith("/doorward/"):
        return  # they ask the data plane, which is none of this test's
    if answer.status_code >= 500:
        yield f"{what}: {answer.status_code} {content[:300]!r}"
    elif answer.status_code < 300:
        described = operation.definition.raw["responses"].get(str(answer.status_code))
        if described is None:
            yield f"{what}: {answer.status_code} is not described"
        elif content and answer.get("Content-Type", "").startswith("application/json"):
            schemas = [each.get("schema") for each in described.get("content", {}).values()]
            yield from (f"{what}: {problem}" for problem in _unlike(schemas, json.loads(content)))


def _asked(client: Client, case: Any) -> Any:
    given_body = None if isinstance(case.body, schemathesis.core.NotSet) else case.body
    if case.media_type and case.media_type.startswith("multipart"):
        return client.generic(
            case.method.upper(), f"/api/v3{case.formatted_path}", b"", content_type="application/json"
        )
    body = b"" if given_body is None else json.dumps(given_body).encode()
    return client.generic(
        case.method.upper(),
        f"/api/v3{case.formatted_path}",
        body,
        content_type="application/json",
        query_params=case.query or None,
    )


def _unlike(schemas: list[Any], data: Any) -> Iterator[str]:
    """Where the data is not what the description says."""
    for schema in schemas:
        if schema:
            whole = {**_with_null(schema), "components": _components()}
            validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            for error in validator.iter_errors(data):
                yield f"{'.'.join(str(part) for part in error.instance_path)}: {error.message[:200]}"


@cache
def _components() -> Any:
    return _with_null(described()["components"])


def _with_null(schema: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` as JSON Schema says it; a time of day has no zone here, so that format is left out."""
    if isinstance(schema, list):
        return [_with_null(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        key: _with_null(value)
        for key, value in schema.items()
        if key != "nullable" and (key, value) != ("format", "time")
    }
    return {"anyOf": [inner, {"type": "null"}]} if schema.get("nullable") is True else inner
