"""Certificates for tests, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from doorward.messages.routing import Certificate


def self_signed(
    *names: str, uris: tuple[str, ...] = (), ends: datetime | None = None, weak: bool = False
) -> Certificate:
    """A certificate for ``names`` (and ``uris``) that is its own authority; ``weak``: with a key that nobody takes any
    more."""
    key = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives = [*map(x509.DNSName, names), *map(x509.UniformResourceIdentifier, uris)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(ends or now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(Encoding.PEM).decode("ascii"),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"),
    )


class Authority:
    """Signs certificates of clients and of other authorities."""

    def __init__(self, name: str, signer: Authority | None = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _signed(x509.Name([_common_name(name)]), self._key, signer or self, authority=True)
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return self._key

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject

    def authority(self, name: str) -> Authority:
        return Authority(name, self)

    def client(
        self, subject: str | x509.Name, names: Sequence[x509.GeneralName] = (), also: Sequence[Authority] = ()
    ) -> Certificate:
        """A client's certificate and key; ``also``: whose certificates it sends along."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([_common_name(subject)]) if isinstance(subject, str) else subject
        made = _signed(name, key, self, names=names)
        chain = made.public_bytes(Encoding.PEM).decode("ascii") + "".join(other.pem for other in also)
        return Certificate(chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))


def _common_name(name: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, name)


def _signed(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: Authority,
    names: Sequence[x509.GeneralName] = (),
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if key is signer.key else signer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer.key, hashes.SHA256())
