"""Make, take in and give away certificates and keys."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.queries import SELF_SIGNED, SIGNING
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

ALGORITHMS = ("RS256", "ES256", "ES384", "ES512", "EdDSA")
_CURVES: dict[str, type[ec.EllipticCurve]] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
_KINDS = "Only RSA, P-256, P-384, P-521 and Ed25519 keys can sign tokens."
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def generate(
    actor: Actor,
    *,
    name: str,
    common_name: str = "",
    algorithm: str = "ES256",
    valid_days: int = 3650,
    alternatives: tuple[str, ...] = (),
    managed: str | None = None,
) -> CertificateKeyPair:
    """Make a key and a self-signed certificate for it, also for the names ``alternatives``.

    ``algorithm``: one of ALGORITHMS. Raises ValidationError.
    """
    key = _new_key(algorithm)
    if not 1 <= valid_days <= 36500:
        raise ValidationError({"validity_days": [_("Between one day and a hundred years.")]})
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (common_name or name)[:64])])
    now = timezone.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if alternatives:
        builder = builder.add_extension(_alternatives(alternatives), critical=False)
    certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return _keep(actor, name, pem, key, algorithm, managed)


def import_pair(actor: Actor, *, name: str, certificate_pem: str, private_key_pem: str = "") -> CertificateKeyPair:
    """Take in a certificate, and its private key if given. Raises ValidationError when they do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    except ValueError as error:
        raise ValidationError({"certificate_data": [_("Unable to load certificate.")]}) from error
    if not private_key_pem:
        return _keep(actor, name, certificate_pem, None, _algorithm_of(certificate.public_key()), None)
    try:
        key = serialization.load_pem_private_key(private_key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValidationError({"key_data": [_("Unable to load private key (possibly encrypted?).")]}) from error
    if not isinstance(key, PrivateKey):
        raise ValidationError({"key_data": [_KINDS]})
    if key.public_key() != certificate.public_key():
        raise ValidationError({"key_data": [_("The private key is not that of the certificate.")]})
    return _keep(actor, name, certificate_pem, key, _algorithm_of(key.public_key()), None)


def delete_pair(actor: Actor, pair: CertificateKeyPair) -> None:
    """Delete a pair. Raises ValidationError for our own signing key, django.db.models.ProtectedError while in use."""
    if pair.managed == SIGNING:
        raise ValidationError({"non_field_errors": [_("Tokens are signed with this key; it cannot be deleted.")]})
    with transaction.atomic():
        events.deleted(actor, pair)
        pair.delete()


def view_private_key(actor: Actor, pair: CertificateKeyPair) -> str:
    """The private key as PKCS#8 PEM, with a ``secret_view`` event. Raises vault.Unreadable."""
    with transaction.atomic():
        events.record("secret_view", "authentik.crypto", actor, secret_of=pair)
    return pair.private_key_pem


def ensure(actor: Actor) -> None:
    """Make the pairs that every installation has, if they are missing."""
    if not CertificateKeyPair.objects.filter(managed=SIGNING).exists():
        generate(actor, name="authentik Internal JWT Certificate", algorithm="ES256", managed=SIGNING)
    if not CertificateKeyPair.objects.filter(name=SELF_SIGNED).exists():
        generate(actor, name=SELF_SIGNED, algorithm="RS256", valid_days=365)


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    except ValueError as error:
        raise ValidationError({"subject_alt_name": [_("Host names, with commas in between.")]}) from error


def _new_key(algorithm: str) -> PrivateKey:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    raise ValidationError({"alg": [_("One of %(names)s.") % {"names": ", ".join(ALGORITHMS)}]})


def _algorithm_of(key: object) -> str:
    """The one that such a key is for (RFC 8725 section 3.1, RFC 7518 section 3.4)."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            raise ValidationError({"key_data": [_("RSA keys have at least 2048 bits.")]})
        return "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey):
        for algorithm, curve in _CURVES.items():
            if isinstance(key.curve, curve):
                return algorithm
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "EdDSA"
    raise ValidationError({"certificate_data": [_KINDS]})


def _keep(
    actor: Actor, name: str, certificate_pem: str, key: PrivateKey | None, algorithm: str, managed: str | None
) -> CertificateKeyPair:
    pair = CertificateKeyPair(name=name, certificate_pem=certificate_pem, algorithm=algorithm, managed=managed)
    if key is not None:
        pair.private_key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    with transaction.atomic():
        pair.full_clean()
        pair.save(force_insert=True)
        events.created(actor, pair)
    return pair
