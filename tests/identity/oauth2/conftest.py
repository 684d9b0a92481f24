"""Two registered clients with their applications, and a browser in which bob is logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorward.identity.applications.actions import create_application
from doorward.identity.crypto.queries import signing_key
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.actions import create_oauth2_provider
from doorward.identity.oauth2.failure_counter import client_failures
from doorward.identity.oauth2.models import ScopeMapping
from identity.oauth2.logout_receiver import Receiver, receiving
from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty

IMPLICIT = "default-provider-authorization-implicit-consent"
EXPLICIT = "default-provider-authorization-explicit-consent"
Register = Callable[..., RelyingParty]


@pytest.fixture(autouse=True)
def no_failures() -> None:
    """No test inherits another's failed client authentications."""
    client_failures.forget()


@pytest.fixture
def register(flows: None) -> Register:
    """Registers a client with an application of the same name."""

    def register(name: str = "rp", *, authorization_flow: str = IMPLICIT, **fields: Any) -> RelyingParty:
        mappings = fields.pop("scope_mappings", None)
        provider = create_oauth2_provider(
            Actor.system(),
            name=name,
            authorization_flow=Flow.objects.get(slug=authorization_flow),
            invalidation_flow=fields.pop("invalidation_flow", None)
            or Flow.objects.get(slug="default-provider-invalidation-flow"),
            scope_mappings=list(ScopeMapping.objects.all()) if mappings is None else mappings,
            **{"signing_key": signing_key(), "redirect_uris": [{"matching_mode": "strict", "url": CALLBACK}], **fields},
        )
        create_application(Actor.system(), name=name.upper(), slug=name, provider=provider)
        return RelyingParty(provider)

    return register


@pytest.fixture
def rp(register: Register) -> RelyingParty:
    """The registered client of the security contract."""
    return register()


@pytest.fixture
def browser(bob: User) -> Browser:
    """Bob's, logged in."""
    browser = Browser()
    browser.log_in_as(bob)
    return browser


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where a client hears of logouts."""
    with receiving() as receiver:
        yield receiver
