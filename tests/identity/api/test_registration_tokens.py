"""Tokens with which programs register themselves, by the API: for superusers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorward.identity.directory.models import User

TOKENS = "doorward/registration_tokens/"


def test_made_listed_and_deleted(admin_api: Any, bob_api: Any, flows: None, bob: User) -> None:
    """The key stands in the answer that makes it, and in no other; nobody but superusers sees any of it."""  # S-608
    from django.utils import timezone

    from doorward.identity.flows.models import Flow
    from doorward.identity.oauth2 import registration_tokens

    body = {
        "name": "notes",
        "hosts": ["notes.example.test"],
        "uses": 3,
        "expires": (timezone.now() + timedelta(days=1)).isoformat(),
        "authorization_flow": str(Flow.objects.get(slug="default-provider-authorization-implicit-consent").pk),
        "invalidation_flow": str(Flow.objects.get(slug="default-provider-invalidation-flow").pk),
    }
    made = admin_api.post(TOKENS, body)
    found = registration_tokens.use(made["key"])
    assert found is not None and str(found.pk) == made["pk"]
    (listed,) = admin_api.get(TOKENS)["results"]
    assert listed["uses"] == 2 and "key" not in listed
    assert "key" not in admin_api.get(f"{TOKENS}{made['pk']}/")
    assert bob_api.call("GET", TOKENS).status_code == 403
    status, refused = admin_api.refused("POST", TOKENS, body | {"name": "other", "hosts": []})
    assert (status, list(refused)) == (400, ["hosts"])
    admin_api.delete(f"{TOKENS}{made['pk']}/")
    assert admin_api.get(TOKENS)["results"] == []
