"""OAuth sources over the API: who may write them, and that the secret stays where it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from doorward.identity.directory.actions import create_token
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.sources.models import OAuthSource

pytestmark = pytest.mark.django_db
URL = "/api/v3/sources/oauth/"
FIELDS = {
    "name": "Company",
    "slug": "company",
    "provider_type": "openidconnect",
    "consumer_key": "doorward",
    "consumer_secret": "a secret",
    "oidc_well_known_url": "https://login.example.test/.well-known/openid-configuration",
}


def caller(user: User) -> Client:
    _, key = create_token(Actor.system(), user=user, identifier=f"of-{user.pk}", intent="api")
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(client: Client, method: str, url: str, **fields: Any) -> Any:
    return getattr(client, method)(url, fields, content_type="application/json")


def test_superusers_write_sources_and_nobody_reads_their_secret(akadmin: User, bob: User) -> None:
    """Made, moved only with the secret again, removed; for others it is not there."""
    admin = caller(akadmin)
    made = send(admin, "post", URL, **FIELDS)
    assert made.status_code == 201, made.content
    assert made.json()["callback_url"].endswith("/source/oauth/callback/company/")
    assert b"a secret" not in made.content + admin.get(URL).content  # S-605
    assert OAuthSource.objects.get().consumer_secret == "a secret"
    elsewhere = "https://evil.test/.well-known/openid-configuration"
    assert send(admin, "patch", f"{URL}company/", oidc_well_known_url=elsewhere).status_code == 400
    assert send(admin, "patch", f"{URL}company/", profile_url="file:///etc/passwd").status_code == 400  # S-650
    assert send(caller(bob), "post", URL, **{**FIELDS, "slug": "mine", "name": "Mine"}).status_code == 403  # S-613
    assert len(admin.get(f"{URL}source_types/").json()) >= 15
    assert admin.delete(f"{URL}company/").status_code == 204
