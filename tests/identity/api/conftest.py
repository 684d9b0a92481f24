"""Clients of the API: a stranger, bob and a superuser, each as a program with a token or as a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpResponse
from django.test import Client

if TYPE_CHECKING:
    from doorward.identity.directory.models import User

BASE = "/api/v3/"


class Api:
    """Speaks JSON below ``/api/v3/``, with a token or without."""

    def __init__(self, key: str | None = None) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> HttpResponse:
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        response: Any = self._client.generic(
            method, BASE + path, content, content_type="application/json", headers=self._headers
        )
        if response.streaming:
            return HttpResponse(b"".join(response.streaming_content), response["Content-Type"], response.status_code)
        assert isinstance(response, HttpResponse)
        return response

    def get(self, path: str) -> Any:
        return self._data(self.call("GET", path), 200)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self._data(self.call("POST", path, body), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self._data(self.call("PATCH", path, body), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._data(self.call("PUT", path, body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        return self._data(self.call("DELETE", path), status)

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of an answer that is expected to be a refusal."""
        response = self.call(method, path, body)
        return response.status_code, json.loads(response.content or b"null")

    @staticmethod
    def _data(response: HttpResponse, status: int) -> Any:
        assert response.status_code == status, response.content
        return json.loads(response.content) if response.content else None


def key_for(user: User, identifier: str = "") -> str:
    """The key of a new API token of ``user``."""
    from doorward.identity.directory.actions import create_token
    from doorward.identity.directory.models import Token
    from doorward.identity.events.actor import Actor

    _, key = create_token(
        Actor.system(), user=user, identifier=identifier or f"api-{user.username}", intent=Token.Intent.API
    )
    return key


@pytest.fixture
def stranger(db: None) -> Api:
    return Api()


@pytest.fixture
def admin_api(flows: None, akadmin: User) -> Api:
    return Api(key_for(akadmin))


@pytest.fixture
def bob_api(flows: None, bob: User) -> Api:
    return Api(key_for(bob))


@pytest.fixture
def provider_body(flows: None) -> dict[str, Any]:
    """A proxy provider as scripts create it."""
    from doorward.identity.flows.models import Flow

    return {
        "name": "whoami",
        "authorization_flow": str(Flow.objects.get(slug="default-provider-authorization-implicit-consent").pk),
        "invalidation_flow": str(Flow.objects.get(slug="default-provider-invalidation-flow").pk),
        "mode": "forward_single",
        "external_host": "https://whoami.example.test",
    }


@pytest.fixture
def client_with() -> Callable[..., Api]:
    """A client with any key, even one that is none."""

    def make(key: str, *, even_empty: bool = False) -> Api:
        api = Api(key)
        if even_empty:
            api._headers = {"Authorization": f"Bearer {key}"}
        return api

    return make
