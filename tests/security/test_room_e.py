"""Room E over the wire: what ``tests/identity/oauth2`` says in process, case by case, holds through the proxy too."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from peers.questions import Answer, ask
from security.stage import Stage
from security.visitor import Visitor

pytestmark = pytest.mark.timeout(60)
CALLBACK = "https://rp.example.test/cb"


@dataclass
class Client:
    """A registered client, and bob's browser."""

    stage: Stage
    slug: str
    client_id: str
    client_secret: str
    browser: Visitor

    def authorize(self, **changes: str) -> tuple[Answer, str]:
        """The answer to an authorization request of a logged-in browser, and the verifier."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | changes
        query = {name: value for name, value in query.items() if value}
        return self.browser.get(f"{self.stage.url('auth')}/application/o/authorize/?{urlencode(query)}"), verifier

    def code(self, **changes: str) -> tuple[str, str]:
        answer, verifier = self.authorize(**changes)
        code = parse_qs(urlsplit(answer.one("Location")).query)["code"][0]
        self.stage.secrets.add(code)
        return code, verifier

    def post(self, endpoint: str, form: dict[str, str], *headers: tuple[str, str], method: str = "POST") -> Answer:
        return ask(
            f"{self.stage.url('auth')}/application/o/{endpoint}/",
            method=method,
            headers=[("Content-Type", "application/x-www-form-urlencoded"), *headers],
            body=urlencode(form).encode(),
            ca=self.stage.certificate,
        )

    def redeem(self, code: str, verifier: str, **changes: str) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        } | changes
        answer = self.post("token", {name: value for name, value in form.items() if value})
        self.stage.secrets |= {value for value in _json(answer).values() if isinstance(value, str) and len(value) > 60}
        return answer


def _json(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.fixture
def rp(stage: Stage) -> Iterator[Client]:
    yield from registered(stage)


@pytest.fixture
def other(stage: Stage) -> Iterator[Client]:
    yield from registered(stage)


def registered(stage: Stage) -> Iterator[Client]:
    slug = f"rp-{time.monotonic_ns()}"
    flows = {
        name: stage.api.first("/flows/instances/", slug=f"default-provider-{name}")["pk"]
        for name in ("authorization-implicit-consent", "invalidation-flow")
    }
    scopes = stage.api.get("/propertymappings/provider/scope/", page_size="100")["results"]
    provider = stage.api.post(
        "/providers/oauth2/",
        name=slug,
        authorization_flow=flows["authorization-implicit-consent"],
        invalidation_flow=flows["invalidation-flow"],
        property_mappings=[scope["pk"] for scope in scopes if scope["scope_name"] in ("openid", "profile", "email")],
        redirect_uris=[{"url": CALLBACK, "matching_mode": "strict"}],
    )
    stage.api.post("/core/applications/", name=slug, slug=slug, provider=provider["pk"])
    stage.secrets.add(provider["client_secret"])
    yield Client(stage, slug, provider["client_id"], provider["client_secret"], stage.known("bob"))
    stage.api.delete(f"/core/applications/{slug}/")
    stage.api.delete(f"/providers/oauth2/{provider['pk']}/")


@pytest.mark.parametrize(
    "uri",
    [
        "http://rp.example.test/cb",
        "https://evil.test/cb",
        "https://rp.example.test:8443/cb",
        "https://rp.example.test/cb/x",
        "https://rp.example.test/cbx",
        "https://rp.example.test/cb/",
        "https://rp.example.test/cb?x=y",
        "https://rp.example.test/cb#x",
        "https://rp.example.test/CB",
        "https://RP.example.test/cb",
        "https://rp.example.test/cb/../evil",
        "https://rp.example.test@evil.test/cb",
        "javascript:alert(1)",
        "",
        "https://rp.example.test/%63b",
        "//rp.example.test/cb",
        "https://rp.example.test/cb%00",
        "https://rp.example.test/cb\\",
        " https://rp.example.test/cb",
        "https://rp.example.test\\@evil.test/cb",
    ],
)
def test_a_code_is_sent_to_the_registered_address_only(rp: Client, uri: str) -> None:
    """Anything else is a page here, with ``prompt=none`` as well, and the browser is sent nowhere."""
    # S-401, S-405, S-406
    for prompt in ("", "none"):
        answer, _ = rp.authorize(redirect_uri=uri, prompt=prompt)
        assert answer.status == 400, uri
        assert not answer.all("Location")


def test_one_code_one_success(rp: Client) -> None:
    """Twenty at once with one code: one success, and what it gave is worth nothing afterwards."""
    # S-411, S-412
    for _ in range(3):
        code, verifier = rp.code()
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(rp.redeem, [code] * 20, [verifier] * 20))
        good = [answer for answer in answers if answer.status == 200]
        assert len(good) == 1
        assert {_json(answer)["error"] for answer in answers if answer.status != 200} == {"invalid_grant"}
        token = _json(good[0])["access_token"]
        assert rp.post("userinfo", {}, ("Authorization", f"Bearer {token}")).status == 401


def test_a_code_is_its_clients_and_its_requests(rp: Client, other: Client) -> None:
    """Another client, another verifier, none, another address: refused, and the code is burned."""
    # S-408, S-410, S-413, S-414
    for changes in (
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": ""},
        {"redirect_uri": CALLBACK + "/"},
        {"client_id": other.client_id, "client_secret": other.client_secret},
    ):
        code, verifier = rp.code()
        answer = rp.redeem(code, verifier, **changes)
        assert (answer.status, _json(answer)["error"]) == (400, "invalid_grant"), changes
        assert rp.redeem(code, verifier).status == 400, changes
    for changes in ({"code_challenge": ""}, {"code_challenge_method": "plain"}, {"code_challenge_method": ""}):
        answer, _ = rp.authorize(**changes)
        assert parse_qs(urlsplit(answer.one("Location")).query)["error"] == ["invalid_request"], changes


def test_a_client_proves_itself_in_one_way(rp: Client) -> None:
    """No secret, an empty one, two ways at once, twice the same parameter, GET, JSON, parameters in the URL."""
    # S-416, S-417, S-418
    code, verifier = rp.code()
    basic = base64.b64encode(f"{rp.client_id}:{rp.client_secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    for more in (
        {"client_id": rp.client_id},
        {"client_id": rp.client_id, "client_secret": ""},
        {"client_id": rp.client_id, "client_secret": "x"},
        {},
    ):
        answer = rp.post("token", form | more)
        assert (answer.status, _json(answer)["error"]) == (401, "invalid_client"), more
    both = rp.post(
        "token",
        form | {"client_id": rp.client_id, "client_secret": rp.client_secret},
        ("Authorization", f"Basic {basic}"),
    )
    assert (both.status, _json(both)["error"]) == (400, "invalid_request")
    assert rp.post("token", form, method="GET").status == 405
    body = json.dumps(form | {"client_id": rp.client_id, "client_secret": rp.client_secret}).encode()
    url = f"{rp.stage.url('auth')}/application/o/token/"
    as_json = ask(
        url, method="POST", headers=[("Content-Type", "application/json")], body=body, ca=rp.stage.certificate
    )
    assert as_json.status in (400, 415)
    assert rp.post("token", form | {"code": f"{code}&code={code}"}).status in (400, 401)
    assert rp.redeem(code, verifier).status == 200, "none of them used it up"


def test_a_client_learns_of_its_own_tokens_only(rp: Client, other: Client) -> None:
    """Introspection of another's token is ``active: false`` and no more; userinfo wants the right kind, in a header."""
    # S-318, S-426, S-428
    code, verifier = rp.code()
    tokens = _json(rp.redeem(code, verifier))
    access, id_token = tokens["access_token"], tokens["id_token"]

    def about(client: Client, token: str) -> dict[str, Any]:
        form = {"token": token, "client_id": client.client_id, "client_secret": client.client_secret}
        return _json(client.post("introspect", form))

    assert about(rp, access)["active"] is True
    assert about(other, access) == {"active": False}
    assert rp.post("introspect", {"token": access}).status == 401
    assert rp.post("introspect", {"token": access, "client_id": rp.client_id}).status == 401
    for wrong in (id_token, access[:-2], "x", access + "x"):
        assert rp.post("userinfo", {}, ("Authorization", f"Bearer {wrong}")).status == 401
    in_query = ask(f"{rp.stage.url('auth')}/application/o/userinfo/?access_token={access}", ca=rp.stage.certificate)
    assert in_query.status == 401
    assert rp.post("userinfo", {}, ("Authorization", f"Bearer {access}")).status == 200
    stranger = rp.stage.ask("app", b"Accept: text/html", b"Authorization: Bearer " + access.encode())
    assert stranger.status in (302, 401), "a token of one client opens no other's application"


def test_nothing_is_fetched_and_nothing_is_repeated(rp: Client) -> None:
    """Request objects are refused, errors carry our own words, and markup in the state stays text."""
    # S-407, S-437, S-453
    for name in ("request", "request_uri"):
        answer, _ = rp.authorize(**{name: f"http://127.0.0.1:{rp.stage.application.port}/forged"})
        assert parse_qs(urlsplit(answer.one("Location")).query)["error"][0].endswith("_not_supported")
    evil = '"><script>alert(1)</script>'
    page, _ = rp.authorize(response_mode="form_post", state=evil)
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "form-action 'self' https://rp.example.test" in page.one("Content-Security-Policy")
    refused, _ = rp.authorize(response_type="token", scope=evil)
    query = parse_qs(urlsplit(refused.one("Location")).query)
    assert "script" not in query["error_description"][0]
    assert not any(request.target.startswith(b"/forged") for request in rp.stage.application.requests)
