"""The official client of authentik, unmodified, against our server over HTTP.

The client checks every answer strictly: a missing key, a number for a text or an unknown enum value raises in the
caller. So a call that returns is a contract kept. It takes 170 MB of memory, hence one per session.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from identity.conftest import *  # noqa: F403 - the same installation, the same people

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

KEY = "contract-" + "k" * 51


@pytest.fixture(scope="session")
def official() -> ModuleType:
    """The client's package."""
    return importlib.import_module("authentik_client")


class Operations:
    """All operations of the client as methods of one object, whichever of its classes holds them."""

    def __init__(self, package: ModuleType, host: str, key: str | None) -> None:
        configuration = package.Configuration(host=f"{host}/api/v3", access_token=key)
        self._client = package.ApiClient(configuration)
        self._package = package

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        room = operation.partition("_")[0].capitalize() + "Api"
        method: Callable[..., Any] = getattr(getattr(self._package, room)(self._client), operation)
        return method


@pytest.fixture
def installed(transactional_db: None, flows: None) -> None:
    """A fresh installation: the defaults, ``akadmin``, and an API token of theirs."""
    from doorward.identity.directory.actions import create_token, create_user
    from doorward.identity.directory.models import Token
    from doorward.identity.events.actor import Actor
    from doorward.identity.first_start import ensure_admins

    admin = create_user(Actor.system(), username="akadmin", name="authentik Default Admin", groups=[ensure_admins()])
    create_token(Actor.system(), user=admin, identifier="authentik-bootstrap-token", intent=Token.Intent.API, key=KEY)


@pytest.fixture
def api(official: ModuleType, live_server: LiveServer, installed: None) -> Operations:
    """The client, as a superuser."""
    return Operations(official, live_server.url, KEY)


@pytest.fixture
def anonymous(official: ModuleType, live_server: LiveServer, installed: None) -> Operations:
    """The client without a token."""
    return Operations(official, live_server.url, None)


@pytest.fixture
def impostor(official: ModuleType, live_server: LiveServer, installed: None) -> Operations:
    """The client with a token that nobody gave it."""
    return Operations(official, live_server.url, "x" * 60)


@pytest.fixture
def flow(api: Operations) -> Callable[[str], Any]:
    """Finds a flow's key by its slug, as scripts do."""

    def find(slug: str) -> Any:
        (found,) = api.flows_instances_list(slug=slug).results
        return found.pk

    return find


@pytest.fixture
def provider(api: Operations, official: ModuleType, flow: Callable[[str], Any]) -> Any:
    """A proxy provider, made as in the set-up guides."""
    return api.providers_proxy_create(
        official.ProxyProviderRequest(
            name="whoami",
            authentication_flow=flow("default-authentication-flow"),
            authorization_flow=flow("default-provider-authorization-implicit-consent"),
            invalidation_flow=flow("default-provider-invalidation-flow"),
            mode="forward_single",
            external_host="https://whoami.example.test",
        )
    )


@pytest.fixture
def application(api: Operations, official: ModuleType, provider: Any) -> Any:
    """An application that uses the provider."""
    return api.core_applications_create(official.ApplicationRequest(name="Whoami", slug="whoami", provider=provider.pk))
