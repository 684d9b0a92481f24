"""The local certificate authority: TLS on one's own machine without asking anybody.

The first start makes an authority in ``<data>/ca/`` (folder 0700, files 0600). It may sign for ``localhost``, names
under it, and loopback addresses only: a critical name constraint (RFC 5280 section 4.2.1.10) says so, so that the
key is worth nothing beyond the machine even where the certificate was installed in a browser. Leaves name every
host, for browsers refuse a wildcard directly under a top-level name; they live 90 days and are made anew when fewer
than 30 are left.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Doorward local CA"
AUTHORITY_LIFE = timedelta(days=3653)
LEAF_LIFE = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(hours=1)
"""Certificates begin this long before they are made: the clock of a virtual machine may stand behind."""

LOCAL_NAMES = ("localhost", "whoami.localhost", "auth.localhost", "127.0.0.1", "::1")
"""What the demonstration is reached by."""

_CURVE = ec.SECP256R1()


class LocalAuthorityBroken(Exception):
    """The folder holds something that is not a usable authority; nothing is overwritten."""


@dataclass(frozen=True, slots=True)
class LocalAuthority:
    """The authority, and where its files are."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_path(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def certificate_pem(self) -> str:
        return _pem(self.certificate)

    def leaf(self, names: Sequence[str] = LOCAL_NAMES) -> tuple[str, str]:
        """A certificate for all of ``names`` (host names and addresses), as ``(chain_pem, key_pem)``.

        The one made before is used again while it names the same, is signed by this authority and has more than
        ``RENEW_BEFORE`` to live. Raises ValueError for a name that the authority may not sign for.
        """
        refused = [name for name in names if not _is_local(name)]
        if refused:
            raise ValueError(f"the local authority signs for localhost and names under it only, not for {refused[0]}")
        chain_path, key_path = self.folder / "leaf.pem", self.folder / "leaf.key"
        kept = self._kept_leaf(chain_path, key_path, names)
        if kept:
            return kept
        key = ec.generate_private_key(_CURVE)
        certificate = _sign_leaf(self.certificate, self.key, key, names)
        pair = _pem(certificate) + self.certificate_pem, _key_pem(key)
        _write(key_path, pair[1])
        _write(chain_path, pair[0])
        return pair

    def passing_leaf(self, name: str) -> tuple[str, str] | None:
        """A certificate for ``name`` that is kept nowhere; None for a name that the authority may not sign for."""
        if not _is_local(name):
            return None
        key = ec.generate_private_key(_CURVE)
        return _pem(_sign_leaf(self.certificate, self.key, key, (name,))) + self.certificate_pem, _key_pem(key)

    def _kept_leaf(self, chain_path: Path, key_path: Path, names: Sequence[str]) -> tuple[str, str] | None:
        try:
            chain_pem, key_pem = chain_path.read_text("ascii"), key_path.read_text("ascii")
            leaf = x509.load_pem_x509_certificate(chain_pem.encode())
            key = serialization.load_pem_private_key(key_pem.encode(), None)
            leaf.verify_directly_issued_by(self.certificate)
            named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return None
        fresh = leaf.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
        if fresh and leaf.public_key() == key.public_key() and set(named) == set(map(_general_name, names)):
            return chain_pem, key_pem
        return None


def ensure(folder: Path) -> LocalAuthority:
    """The authority in ``folder``, made if the folder has none (or one that is over).

    Raises LocalAuthorityBroken when its files cannot be used, OSError when the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    certificate_path, key_path = folder / "ca.pem", folder / "ca.key"
    if not certificate_path.exists():
        return _create(folder, certificate_path, key_path)
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as broken:
        raise LocalAuthorityBroken(
            f"{folder} holds no usable certificate authority ({broken}); move the folder away and start again"
        ) from broken
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise LocalAuthorityBroken(
            f"{key_path} is not the key of {certificate_path}; move the folder away and start again"
        )
    if certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE:
        return _create(folder, certificate_path, key_path)
    return LocalAuthority(folder, certificate, key)


def _create(folder: Path, certificate_path: Path, key_path: Path) -> LocalAuthority:
    key = ec.generate_private_key(_CURVE)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    permitted = [
        x509.DNSName("localhost"),
        x509.IPAddress(IPv4Network("127.0.0.0/8")),
        x509.IPAddress(IPv6Network("::1/128")),
    ]
    certificate = (
        _builder(name, name, key, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _key_pem(key))
    _write(certificate_path, _pem(certificate))
    return LocalAuthority(folder, certificate, key)


def _sign_leaf(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    return (
        _builder(subject, authority.subject, key, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.IPAddress(address) if address else x509.DNSName(name.lower())


def _is_local(name: str) -> bool:
    address = _address(name)
    if address:
        return address.is_loopback
    return name.isascii() and (name.lower() == "localhost" or name.lower().endswith(".localhost")) and "*" not in name


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others: written aside with mode 0600, then renamed."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(aside).unlink()
        raise
