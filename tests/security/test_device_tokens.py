"""A token for one application: what a person gives a phone or a script, and takes away again."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from peers.processes import eventually
from security.stage import Stage

pytestmark = pytest.mark.timeout(90)


def basic(username: str, key: str) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(f"{username}:{key}".encode())


@pytest.fixture
def key(stage: Stage) -> Iterator[str]:
    """The key of bob's token for ``app``."""
    made = stage.api.post(
        "/core/tokens/", identifier="phone", intent="app_password", user=stage.people["bob"], application="app"
    )
    assert (made["application"], made["last_used"]) == ("app", None)
    key: str = stage.api.get("/core/tokens/phone/view_key/")["key"]
    stage.secrets.add(key)
    yield key
    if stage.api.get("/core/tokens/", identifier="phone")["results"]:
        stage.api.delete("/core/tokens/phone/")


def test_it_opens_its_application_and_nothing_else(stage: Stage, key: str) -> None:
    """As Basic credentials and as a bearer token; not another application, not the API, not as somebody else."""
    # S-317, S-608
    for name in ("app", "app2"):
        for field in (basic("bob", key), b"Authorization: Bearer " + key.encode(), basic("goauthentik.io/token", key)):
            answer = stage.ask(name, field)
            assert stage.reached(answer) == (name == "app"), (name, answer.status)
    with stage.application.watched() as seen:
        assert stage.reached(stage.ask("app", b"Authorization: Bearer " + key.encode()))
    assert seen[0].one(b"X-authentik-username") == b"bob"
    assert seen[0].one(b"X-authentik-jwt").count(b".") == 2
    assert not seen[0].all(b"Authorization")
    assert not stage.reached(stage.ask("app", basic("mallory", key)))
    api = stage.program.ask("/api/v3/core/users/me/", headers=[("Authorization", f"Bearer {key}")])
    assert api.status == 403
    assert stage.api.get("/core/tokens/phone/")["last_used"]


def test_an_ordinary_app_password_is_no_bearer_token(stage: Stage) -> None:
    """Whose it is must be said, where it opens everything."""
    stage.api.post("/core/tokens/", identifier="everywhere", intent="app_password", user=stage.people["bob"])
    key = stage.api.get("/core/tokens/everywhere/view_key/")["key"]
    stage.secrets.add(key)
    try:
        assert stage.reached(stage.ask("app", basic("bob", key)))
        assert not stage.reached(stage.ask("app", b"Authorization: Bearer " + key.encode()))
    finally:
        stage.api.delete("/core/tokens/everywhere/")


def test_it_ends_when_it_is_taken_away(stage: Stage, key: str) -> None:
    """Within a second, what is remembered about it included."""
    # S-321
    assert stage.reached(stage.ask("app", basic("bob", key)))
    stage.api.delete("/core/tokens/phone/")
    eventually(lambda: not stage.reached(stage.ask("app", basic("bob", key))), within=3, what="it is refused")
