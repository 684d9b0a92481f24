"""What programs come with: a token for one application, a token that another client was given."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt

from identity.sources.issuer import Issuer, running
from peers.processes import eventually
from security.raw import connected
from security.recording_application import Recorded
from security.stage import FORGED, Stage

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
        taken_away(stage, "phone", key)


def taken_away(stage: Stage, identifier: str, key: str) -> None:
    """The token is deleted, and every worker knows."""
    stage.api.delete(f"/core/tokens/{identifier}/")

    def is_refused_everywhere() -> bool:
        return all(stage.ask("app", basic("bob", key)).status == 401 for _ in range(8))

    eventually(is_refused_everywhere, within=5, what="every worker refuses it")


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
        taken_away(stage, "everywhere", key)


def test_it_ends_when_it_is_taken_away(stage: Stage, key: str) -> None:
    """Within a second, what is remembered about it included."""
    # S-321
    assert stage.reached(stage.ask("app", basic("bob", key)))
    stage.api.delete("/core/tokens/phone/")
    eventually(lambda: not stage.reached(stage.ask("app", basic("bob", key))), within=3, what="it is refused")


@contextlib.contextmanager
def slow_page(stage: Stage) -> Iterator[threading.Event]:
    """``/slow`` answers once the event is set."""
    go = threading.Event()

    def act(peer: socket.socket, request: Recorded) -> None:
        go.wait(30)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")

    stage.application.acts[b"/slow"] = act
    try:
        yield go
    finally:
        go.set()
        del stage.application.acts[b"/slow"]


def test_of_two_tokens_one_is_taken_away(stage: Stage, key: str) -> None:
    """What is under way with it is answered 401; what is under way with the other, and a stream of its, go on. A token
    that is new may be used while the news of it is still on its way."""
    # S-321
    stage.api.post("/core/tokens/", identifier="tablet", intent="app_password", user=stage.people["bob"])
    other = stage.api.get("/core/tokens/tablet/view_key/")["key"]
    stage.secrets.add(other)
    host, port = "app.example.test", stage.program.https_port
    with slow_page(stage) as go, connected(port, host) as ends, connected(port, host) as stays:
        before = len(stage.application.requests)
        for peer, credential in ((ends, other), (stays, key)):
            lines = (b"GET /slow HTTP/1.1", b"Host: " + stage.host("app"), basic("bob", credential), b"", b"")
            peer.sendall(b"\r\n".join(lines))
        eventually(lambda: len(stage.application.requests) == before + 2, within=10, what="both are under way")
        taken_away(stage, "tablet", other)
        ends.settimeout(10)
        assert ends.recv(65536).startswith(b"HTTP/1.1 401 ")
        go.set()
        assert stays.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def other_client(stage: Stage) -> Iterator[dict[str, Any]]:
    """An OpenID Connect client, which no outpost stands before."""
    api = stage.api
    flow = api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"]
    scopes = [api.first("/propertymappings/provider/scope/", scope_name=name)["pk"] for name in ("openid", "profile")]
    client: dict[str, Any] = api.post(
        "/providers/oauth2/",
        name="other-client",
        authorization_flow=flow,
        invalidation_flow=api.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        property_mappings=scopes,
        redirect_uris=[],
    )
    stage.secrets.add(client["client_secret"])
    api.post("/core/applications/", name="Other", slug="other", provider=client["pk"])
    yield client
    api.delete("/core/applications/other/")
    api.delete(f"/providers/oauth2/{client['pk']}/")


def token_of_bob(stage: Stage, client: dict[str, Any]) -> str:
    """An access token that ``client`` got for bob's app password."""
    stage.api.post("/core/tokens/", identifier="for-other", intent="app_password", user=stage.people["bob"])
    key = stage.api.get("/core/tokens/for-other/view_key/")["key"]
    stage.secrets.add(key)
    asked = {
        "grant_type": "client_credentials",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "username": "bob",
        "password": key,
        "scope": "openid profile",
    }
    answer = stage.program.ask(
        "/application/o/token/",
        method="POST",
        headers=[("Content-Type", "application/x-www-form-urlencoded")],
        body=urlencode(asked).encode(),
    )
    assert answer.status == 200, answer.text
    token: str = json.loads(answer.body)["access_token"]
    stage.secrets.add(token)
    return token


def test_a_token_for_another_client_counts_where_that_client_is_trusted(
    stage: Stage, other_client: dict[str, Any]
) -> None:
    """Not otherwise; the application is told by a token of its own, and what was revoked is worth nothing."""
    # S-318, S-335
    api = stage.api
    bearer = b"Authorization: Bearer " + token_of_bob(stage, other_client).encode()
    provider = api.first("/providers/proxy/", name__iexact="app")
    path = f"/providers/proxy/{provider['pk']}/"
    try:
        assert not stage.reached(stage.ask("app", bearer))
        changed = api.patch(path, jwt_federation_providers=[other_client["pk"]])
        assert changed["jwt_federation_providers"] == [other_client["pk"]]
        with stage.application.watched() as seen:
            eventually(lambda: stage.reached(stage.ask("app", bearer)), within=3, what="it is trusted")
        assert seen[-1].one(b"X-authentik-username") == b"bob"
        claims = seen[-1].one(b"X-authentik-jwt").split(b".")[1]
        audience = json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["aud"]
        assert audience == provider["client_id"]
        assert not stage.reached(stage.ask("app2", bearer))
        api.patch(path, jwt_federation_providers=[])
        eventually(lambda: not stage.reached(stage.ask("app", bearer)), within=3, what="it is trusted no more")
    finally:
        api.patch(path, jwt_federation_providers=[])
        api.delete("/core/tokens/for-other/")


@pytest.fixture
def builds(stage: Stage) -> Iterator[tuple[Issuer, dict[str, Any]]]:
    """An issuer of tokens for programs, as a source that ``app`` trusts."""
    api, path = stage.api, f"/providers/proxy/{stage.api.first('/providers/proxy/', name__iexact='app')['pk']}/"
    with running() as issuer:
        source = api.post(
            "/sources/oauth/",
            name="Builds",
            slug="builds",
            provider_type="openidconnect",
            oidc_well_known_url=f"{issuer.url}/.well-known/openid-configuration",
            consumer_key="doorward",
            consumer_secret="not-used-by-programs",
        )
        changed = api.patch(path, jwt_federation_sources=[source["pk"]])
        assert changed["jwt_federation_sources"] == [source["pk"]]
        try:
            yield issuer, changed
        finally:
            api.patch(path, jwt_federation_sources=[])
            api.delete("/sources/oauth/builds/")
            for left in api.get("/core/users/", username="ak-app@builds")["results"]:
                api.delete(f"/core/users/{left['pk']}/")


def test_a_token_of_another_issuer_counts_where_its_source_is_trusted(
    stage: Stage, builds: tuple[Issuer, dict[str, Any]]
) -> None:
    """As whoever is known there, once they are let in; the application reads our word and never the token's. It ends
    with the source, what is remembered and what is under way included."""
    # S-318, S-321, S-335, S-526
    api, (issuer, provider) = stage.api, builds
    now = int(time.time())
    claims = {"iss": issuer.url, "sub": "project/main", "iat": now, "exp": now + 600, "preferred_username": FORGED}

    def bearer(audience: str) -> bytes:
        token = jwt.encode(issuer.header, {**claims, "aud": audience}, issuer.key)
        stage.secrets.add(token)
        return b"Authorization: Bearer " + token.encode()

    good = bearer(provider["client_id"])

    def refused() -> list[str]:
        assert stage.ask("app", good).status == 401
        events = api.get("/events/events/", action="login_failed")["results"]
        return [event["context"]["identifier"] for event in events if "identifier" in event["context"]]

    eventually(lambda: refused()[:1] == ["project/main"], within=3, what="nobody here is known by that name")
    everybody = api.first("/core/users/", username="ak-app@builds")
    application = api.get("/core/applications/app/")
    api.post("/policies/bindings/", target=application["pk"], user=everybody["pk"], order=7)
    with stage.application.watched() as seen:
        eventually(lambda: stage.reached(stage.ask("app", good)), within=3, what="it opens the application")
    told = seen[-1]
    assert told.one(b"X-authentik-username") == b"ak-app@builds"
    assert all(FORGED.encode() not in value for _, value in told.headers)
    body = told.one(b"X-authentik-jwt").split(b".")[1]
    ours = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    assert (ours["aud"], ours["exp"]) == (provider["client_id"], now + 600)
    form = {
        "grant_type": "client_credentials",
        "client_id": provider["client_id"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": good.rpartition(b" ")[2].decode(),
    }
    urlencoded = [("Content-Type", "application/x-www-form-urlencoded")]
    asked = stage.program.ask("/application/o/token/", method="POST", headers=urlencoded, body=urlencode(form).encode())
    assert (asked.status, json.loads(asked.body)["token_type"]) == (200, "Bearer")
    assert not stage.reached(stage.ask("app", bearer("another-client")))
    assert not stage.reached(stage.ask("app2", good))
    with slow_page(stage), connected(stage.program.https_port, "app.example.test") as peer:
        before = len(stage.application.requests)
        peer.sendall(b"\r\n".join((b"GET /slow HTTP/1.1", b"Host: " + stage.host("app"), good, b"", b"")))
        eventually(lambda: len(stage.application.requests) == before + 1, within=10, what="it is under way")
        api.patch("/sources/oauth/builds/", enabled=False)
        peer.settimeout(10)
        assert peer.recv(65536).startswith(b"HTTP/1.1 401 ")
    assert not stage.reached(stage.ask("app", good))
    api.patch("/sources/oauth/builds/", enabled=True)
    eventually(lambda: stage.reached(stage.ask("app", good)), within=3, what="it is trusted again")
