"""A source's settings in the words of the room that reads and writes messages: who we are to it, what we believe."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.identity.sources.saml import messages, signature
from doorward.identity.sources.saml.answers import Wanted
from doorward.identity.sources.saml.messages import Ourselves
from doorward.identity.sources.saml.models import SAMLSource


@dataclass(frozen=True, slots=True)
class Signer:
    """What our messages are signed with; a key that is empty signs nothing."""

    key_pem: str
    certificate_pem: str
    algorithm: str
    digest: str


def ourselves(source: SAMLSource) -> Ourselves:
    return Ourselves(
        entity_id=source.entity_id,
        acs_url=source.url("acs"),
        slo_url=source.url("slo"),
        metadata_url=source.url("metadata"),
    )


def wanted(source: SAMLSource) -> Wanted:
    """What an answer must be like. Raises NotSigned for a certificate that does not count, vault.Unreadable."""
    us = ourselves(source)
    return Wanted(
        keys=tuple(keys(source)),
        entity_id=us.entity_id,
        acs_url=us.acs_url,
        signed_assertion=source.signed_assertion,
        signed_response=source.signed_response,
        unasked=source.allow_idp_initiated,
        issuer=source.provider_entity_id,
        private_key_pem=source.encryption_kp.private_key_pem if source.encryption_kp else "",
    )


def keys(source: SAMLSource) -> list[signature.PublicKey]:
    """Whose signatures count. Raises NotSigned."""
    return signature.keys_of(source.verification_kp.certificate_pem)


def signer(source: SAMLSource) -> Signer:
    """Raises vault.Unreadable."""
    pair = source.signing_kp
    return Signer(
        pair.private_key_pem if pair else "",
        pair.certificate_pem if pair else "",
        source.signature_algorithm,
        source.digest_algorithm,
    )


def metadata(source: SAMLSource) -> str:
    """What the identity provider's administrator imports."""
    written = messages.metadata(
        ourselves(source),
        name_id_policy=source.name_id_policy,
        signing_der=_der(source.signing_kp.certificate_pem) if source.signing_kp else "",
        encryption_der=_der(source.encryption_kp.certificate_pem) if source.encryption_kp else "",
        with_logout=True,
        assertions_signed=source.signed_assertion,
    )
    return written.decode()


def _der(certificate_pem: str) -> str:
    return "".join(certificate_pem.split("-----")[2].split())
