"""SAML sources over the API: who may write them, and which settings are refused because they would not be safe."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from doorward.identity.crypto.actions import generate, import_pair
from doorward.identity.directory.actions import create_token
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.sources.saml.models import SAMLSource
from peers.saml_provider import pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("login_flows")]
URL = "/api/v3/sources/saml/"
SHA1 = "http://www.w3.org/2000/09/xmldsig#"


def caller(user: User) -> Client:
    _, key = create_token(Actor.system(), user=user, identifier=f"of-{user.pk}", intent="api")
    return Client(headers={"Authorization": f"Bearer {key}"})


def send(client: Client, method: str, url: str, **fields: Any) -> Any:
    return getattr(client, method)(url, fields, content_type="application/json")


@pytest.fixture
def fields() -> dict[str, Any]:
    theirs = import_pair(Actor.system(), name="theirs", certificate_pem=pair()[1])
    return {
        "name": "Company",
        "slug": "company",
        "sso_url": "https://idp.example.test/sso",
        "verification_kp": str(theirs.pk),
    }


def test_superusers_write_sources(akadmin: User, bob: User, fields: dict[str, Any]) -> None:
    """Made with safe defaults, described to the provider, removed; for others it is not there."""
    admin, other = caller(akadmin), caller(bob)
    made = send(admin, "post", URL, **fields)
    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["signed_assertion"], said["allow_idp_initiated"], said["binding_type"]) == (True, False, "REDIRECT")
    assert said["url_issuer"] == "https://auth.example.test/source/saml/company/metadata/"
    told = admin.get(f"{URL}company/metadata/").json()
    assert told["download_url"] == said["url_issuer"] and "AssertionConsumerService" in told["metadata"]
    assert send(other, "post", URL, **{**fields, "slug": "mine", "name": "Mine"}).status_code == 403  # S-613
    assert other.get(f"{URL}company/metadata/").status_code in (403, 404)
    assert admin.delete(f"{URL}company/").status_code == 204


def test_what_is_not_safe_is_refused_by_name(akadmin: User, fields: dict[str, Any]) -> None:
    """No setting switches the signature off, weakens it, or sends browsers where no browser belongs."""
    admin = caller(akadmin)
    weak = generate(Actor.system(), name="elliptic", algorithm="ES256")
    for name, value in (
        ("verification_kp", None),
        ("signature_algorithm", f"{SHA1}rsa-sha1"),
        ("signature_algorithm", f"{SHA1}dsa-sha1"),
        ("digest_algorithm", f"{SHA1}sha1"),
        ("name_id_policy", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
        ("temporary_user_delete_after", "hours=1"),
        ("sso_url", "javascript:alert(1)"),
        ("slo_url", "file:///etc/passwd"),
        ("encryption_kp", fields["verification_kp"]),
        ("encryption_kp", str(weak.pk)),
    ):
        answer = send(admin, "post", URL, **{**fields, name: value})
        assert answer.status_code == 400 and list(answer.json()) == [name], (name, answer.content)
    answer = send(admin, "post", URL, **{**fields, "signing_kp": str(weak.pk)})
    assert list(answer.json()) == ["signature_algorithm"]
    missing = send(admin, "post", URL, **{name: value for name, value in fields.items() if name != "verification_kp"})
    assert "always checked" in missing.json()["verification_kp"][0]
    assert not SAMLSource.objects.exists()
