"""Sets up, changes and removes SAML sources: whose signatures open accounts here is for superusers to say."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.egress import client
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources import icons
from doorward.identity.sources.saml.models import SAMLSource
from doorward.identity.sources.writing import write


def create(actor: Actor, fields: Mapping[str, Any]) -> SAMLSource:
    """Raises ValidationError."""
    return write(actor, SAMLSource(), fields, _validate, fresh=True)


def update(actor: Actor, source: SAMLSource, changes: Mapping[str, Any]) -> SAMLSource:
    """Raises ValidationError."""
    return write(actor, source, changes, _validate, fresh=False)


def delete(actor: Actor, source: SAMLSource) -> None:
    """Its users stay; nobody logs in through it any more (S-526)."""
    with transaction.atomic():
        events.deleted(actor, source)
        source.delete()


def _validate(source: SAMLSource) -> None:
    if find_spec("lxml") is None:
        raise ValidationError(_("SAML needs a package that is not installed: pip install 'doorward[saml]'."))
    icons.require_address("icon", source.icon)
    for name in ("sso_url", "slo_url"):
        if url := getattr(source, name):
            _require_url(name, url)
    _require_certificate(source)
    if source.signing_kp is not None:
        _require_signer(source.signing_kp, source.signature_algorithm)
    if source.encryption_kp is not None and not isinstance(_key_of(source.encryption_kp), rsa.RSAPrivateKey):
        raise ValidationError({"encryption_kp": [_("Assertions are encrypted for an RSA key, with its private part.")]})
    nullable = {
        field.name for field in source._meta.concrete_fields if field.null and field.value_from_object(source) is None
    }
    source.full_clean(exclude=nullable)


def _require_url(name: str, url: str) -> None:
    """Nobody here asks there; but browsers are sent there, and scripts are URLs, too."""
    try:
        client.check(url, private=True)
    except client.Refused as error:
        raise ValidationError({name: [str(error)]}) from error


def _require_certificate(source: SAMLSource) -> None:
    from doorward.identity.sources.saml import service  # with its XML library, which most never need
    from doorward.identity.sources.saml.errors import NotSigned

    if source.verification_kp_id is None:
        raise ValidationError({"verification_kp": [_("Signatures are always checked: with which certificate?")]})
    try:
        service.keys(source)
    except NotSigned as error:
        raise ValidationError({"verification_kp": [str(error)]}) from error


def _require_signer(pair: CertificateKeyPair, algorithm: str) -> None:
    kinds = {"rsa": rsa.RSAPrivateKey, "ecdsa": ec.EllipticCurvePrivateKey}
    kind = algorithm.rpartition("#")[2].partition("-")[0]
    if not isinstance(_key_of(pair), kinds.get(kind, ())):
        raise ValidationError(
            {"signature_algorithm": [_("The key that signs our requests is not one for this algorithm.")]}
        )


def _key_of(pair: CertificateKeyPair) -> object:
    pem = pair.private_key_pem
    return load_pem_private_key(pem.encode(), None) if pem else None
