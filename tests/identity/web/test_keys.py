"""Keys on pages."""

from __future__ import annotations

import pytest
from django.urls import reverse

from doorward.identity.crypto import actions
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.queries import signing_key
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db


def test_a_key_is_made_looked_at_and_rotated(admin: Visitor) -> None:
    """Its private key is shown on demand only, and that is an event; the one in its place has its name."""
    text = admin.succeed("/if/admin/new/key/", name="wiki", algorithm="ES384", valid_days="365")
    pair = CertificateKeyPair.objects.get(name="wiki")
    page = reverse("admin-key", args=[pair.pk])
    assert "ES384" in text
    assert "PRIVATE KEY" not in text
    assert "wiki" in admin.open("/if/admin/keys/?q=wiki")
    assert admin.get(f"{page}certificate/").content.startswith(b"-----BEGIN CERTIFICATE")
    admin.send(f"{page}private/", at=page)
    assert "BEGIN PRIVATE KEY" in admin.text
    assert Event.objects.filter(action="secret_view").count() == 1
    admin.succeed(f"{page}rotate/", at=page)
    assert CertificateKeyPair.objects.get(name="wiki").pk != pair.pk


def test_a_key_is_taken_in_and_deleted(admin: Visitor) -> None:
    """What does not belong together is refused at its field."""
    made = actions.generate(Actor.system(), name="theirs", algorithm="RS256")
    other = actions.generate(Actor.system(), name="other", algorithm="RS256")
    fields = {"name": "wiki", "certificate_data": made.certificate_pem}
    admin.send("/if/admin/keys/import/", **fields, key_data=other.private_key_pem)
    assert "not that of the certificate" in admin.text
    admin.succeed("/if/admin/keys/import/", **fields, key_data="")
    pair = CertificateKeyPair.objects.get(name="wiki")
    admin.succeed(f"/if/admin/keys/{pair.pk}/delete/")
    assert not CertificateKeyPair.objects.filter(name="wiki").exists()


def test_our_own_key_stays(admin: Visitor) -> None:
    """Its page offers no deletion."""
    assert "/delete/" not in admin.open(reverse("admin-key", args=[signing_key().pk]))
