"""The identity provider that these tests ask, and a browser that goes there and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from doorward.identity.crypto.actions import import_pair
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.sources.saml import actions
from doorward.identity.sources.saml.messages import Ourselves, metadata
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.stages.models import IdentificationStage
from peers.saml_provider import SLO, SSO, SamlProvider, in_form, pair

BASE = "https://auth.example.test/source/saml/upstream/"
US = Ourselves(f"{BASE}metadata/", f"{BASE}acs/", f"{BASE}slo/", f"{BASE}metadata/")
ERIN = {"uid": ["erin"], "mail": ["erin@example.test"], "displayName": ["Erin"]}


@pytest.fixture(scope="session")
def our_key() -> tuple[str, str]:
    """A private key of ours, and its certificate."""
    return pair()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, our_key: tuple[str, str]) -> SamlProvider:
    der = "".join(our_key[1].split("-----")[2].split())
    about_us = metadata(US, name_id_policy="", signing_der=der, encryption_der="", with_logout=True)
    return SamlProvider(tmp_path_factory.mktemp("idp"), about_us.decode())


@pytest.fixture
def source(login_flows: None, provider: SamlProvider) -> SAMLSource:
    """The provider as a source with a button on the login page."""
    theirs = import_pair(Actor.system(), name="upstream", certificate_pem=provider.certificate_pem)
    source = actions.create(
        Actor.system(),
        {
            "name": "Upstream",
            "slug": "upstream",
            "sso_url": SSO,
            "slo_url": SLO,
            "verification_kp": theirs,
            "pre_authentication_flow": Flow.objects.get(slug="default-source-pre-authentication"),
            "authentication_flow": Flow.objects.get(slug="default-source-authentication"),
            "enrollment_flow": Flow.objects.get(slug="default-source-enrollment"),
        },
    )
    for stage in IdentificationStage.objects.all():
        stage.sources.add(source)
    return source


@dataclass
class Visitor:
    """A browser, and whoever sits there: at the provider they are Erin."""

    provider: SamlProvider
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def asked(self, query: str = "") -> str:
        """The identifier of the request with which a login begins."""
        away = self.client.get(f"/source/saml/upstream/{query}")
        assert away.status_code == 302, away.content
        return self.request_in(away["Location"])

    def request_in(self, url: str) -> str:
        encoded = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
        return str(self.provider.asked(encoded, "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect").id)

    def answer(self, request: str = "", **more: Any) -> bytes:
        """What the provider says about Erin."""
        said: dict[str, Any] = {"name_id": "erin@example.test", "attributes": ERIN, **more}
        return self.provider.answer(US.acs_url, US.entity_id, request, **said)

    def post(self, message: bytes, relay_state: str = "") -> Any:
        """The provider's form, from its own site: browsers send none of our cookies with that."""
        return Client(enforce_csrf_checks=True).post(
            "/source/saml/upstream/acs/",
            {"SAMLResponse": in_form(message), "RelayState": relay_state},
            HTTP_ORIGIN="https://idp.example.test",
        )

    def follow(self, response: Any) -> Any:
        """On through our own pages, until one is shown or leads away."""
        while response.status_code in (302, 303) and response["Location"].startswith(("/if/flow/", "/source/")):
            response = self.client.get(response["Location"])
        return response

    def enter(self, query: str = "", **more: Any) -> Any:
        """Log in there, and come back to the end."""
        return self.follow(self.post(self.answer(self.asked(query), **more)))

    @property
    def name(self) -> str:
        """Who is logged in in this browser; empty for nobody."""
        page = self.client.get("/if/user/account/")
        user = page.context["request"].user if page.status_code == 200 and page.context else None
        return str(user.username) if user is not None and user.is_authenticated else ""


@pytest.fixture
def visitor(provider: SamlProvider) -> Visitor:
    return Visitor(provider)


def refused(response: Any, word: str) -> None:
    """The page says no, and the event says why."""
    assert response.status_code == 403, (response.status_code, response.content[:300])
    event = Event.objects.filter(action="login_failed").order_by("-created").first()
    assert event is not None and word in event.context["reason"], event and event.context
