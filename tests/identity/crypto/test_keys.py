"""Secrets at rest, and the keys that sign."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from django.core.exceptions import ValidationError

from doorward.identity.crypto import actions, queries, vault
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event

SYSTEM = Actor.system()


def test_a_sealed_secret_opens_only_at_its_place() -> None:
    """Swapped or altered ciphertexts do not decrypt."""  # S-803
    sealed = vault.seal("secret", "table.column:1")

    assert vault.unseal(sealed, "table.column:1") == "secret"
    for other in (sealed[:-4] + "AAA=", "", "not base64!"):
        with pytest.raises(vault.Unreadable):
            vault.unseal(other, "table.column:1")
    with pytest.raises(vault.Unreadable):
        vault.unseal(sealed, "table.column:2")


def test_keys_of_two_purposes_differ() -> None:
    """No two uses share a key."""
    assert vault.derived_key("a") != vault.derived_key("b")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_generated_pair_belongs_together(db: None, algorithm: str) -> None:
    """Certificate and key match, and the key is encrypted in the database."""
    pair = actions.generate(SYSTEM, name="pair", common_name="auth.example.test", algorithm=algorithm)

    pair = CertificateKeyPair.objects.get(pk=pair.pk)
    key = load_pem_private_key(pair.private_key_pem.encode(), None)
    assert key.public_key() == load_pem_x509_certificate(pair.certificate_pem.encode()).public_key()
    assert "PRIVATE" not in pair.sealed_key
    assert "PRIVATE" not in str(list(Event.objects.values()))


def test_an_imported_pair_must_belong_together(db: None) -> None:
    """Someone else's key, garbage and weak keys are refused with the field's name."""
    ours = actions.generate(SYSTEM, name="ours")
    other = actions.generate(SYSTEM, name="other")

    actions.import_pair(
        SYSTEM, name="again", certificate_pem=ours.certificate_pem, private_key_pem=ours.private_key_pem
    )
    for certificate, key, field in (
        (ours.certificate_pem, other.private_key_pem, "key_data"),
        (ours.certificate_pem, "garbage", "key_data"),
        ("garbage", "", "certificate_data"),
    ):
        with pytest.raises(ValidationError) as refusal:
            actions.import_pair(SYSTEM, name="bad", certificate_pem=certificate, private_key_pem=key)
        assert field in refusal.value.message_dict


def test_looking_at_a_key_is_an_event(db: None, akadmin: User) -> None:
    """Reveal is its own act."""  # S-605
    pair = actions.generate(SYSTEM, name="pair")

    actions.view_private_key(Actor(akadmin, None, ""), pair)

    assert Event.objects.get(action="secret_view").user["username"] == "akadmin"


def test_every_installation_has_its_keys_once(db: None) -> None:
    """An ES256 key of our own and the RSA certificate of the known name."""
    actions.ensure(SYSTEM)
    actions.ensure(SYSTEM)

    assert CertificateKeyPair.objects.count() == 2
    assert queries.signing_key().algorithm == "ES256"
    assert CertificateKeyPair.objects.get(name=queries.SELF_SIGNED).algorithm == "RS256"
    with pytest.raises(ValidationError):
        actions.delete_pair(SYSTEM, queries.signing_key())
