"""Letting programs register themselves, on a page and by the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from doorward.identity.events.models import Event
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2 import registration_tokens
from doorward.identity.oauth2.models import RegistrationToken
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db
LIST, NEW = "/if/admin/registrations/", "/if/admin/new/registration/"


@pytest.fixture
def form(flows: None) -> dict[str, Any]:
    authorize = Flow.objects.get(slug="default-provider-authorization-explicit-consent")
    leave = Flow.objects.get(slug="default-provider-invalidation-flow")
    return {
        "name": "notes",
        "hosts": "notes.example.test\r\n.apps.example.test",
        "authorization_flow": authorize.pk,
        "invalidation_flow": leave.pk,
        "uses": "2",
        "life": "7",
    }


def test_a_token_is_shown_once(admin: Visitor, form: dict[str, Any]) -> None:
    """In the answer to the form; the list, the event and the table know its name only."""  # S-608
    assert "Programs cannot register themselves" in admin.open(LIST)
    assert admin.send(NEW, **form).status_code == 200
    shown = re.search(r'id="key"[^>]*><code>([^<]+)</code>', admin.text)
    assert shown
    token = RegistrationToken.objects.get()
    assert (token.hosts, token.uses_left) == (["notes.example.test", ".apps.example.test"], 2)
    assert registration_tokens.use(shown[1]) == token
    assert "notes.example.test" in admin.open(LIST) and shown[1] not in admin.text
    assert shown[1] not in str(Event.objects.filter(action="model_created").values_list("context", flat=True))
    assert "is deleted" in admin.succeed(f"{LIST}{token.pk}/delete/")
    assert registration_tokens.use(shown[1]) is None


def test_what_is_wrong_stands_at_its_field(admin: Visitor, form: dict[str, Any]) -> None:
    """A host that is none."""
    admin.send(NEW, **form | {"hosts": "https://notes.example.test"})
    assert "is no host name" in admin.text
    assert not RegistrationToken.objects.exists()
