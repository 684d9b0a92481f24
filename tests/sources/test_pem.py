"""Certificates and keys: read when the table is made, refused when they cannot be used."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from doorward.config.problems import ConfigurationError
from doorward.sources.pem import BadPem, read_authorities, read_certificate
from sources.compiling import compiled


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key in two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


def test_table_carries_pem_text(tmp_path: Path) -> None:
    """Workers are given certificates, not file names; a default one is told apart."""
    cert, key = pair(tmp_path, "a")
    default_cert, default_key = pair(tmp_path, "default")
    result = compiled(
        f"tls: {{certificates: [{{certFile: {cert}, keyFile: {key}}}], stores: {{default: {{defaultCertificate: "
        f"{{certFile: {default_cert}, keyFile: {default_key}}}}}}}}}"
    )

    assert result.table.certificates[0].chain_pem == cert.read_text()
    assert result.table.default_certificate is not None
    assert result.table.default_certificate.key_pem == default_key.read_text()


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    """A mismatch is told at load, not at the first handshake."""  # S-705
    cert, _ = pair(tmp_path, "a")
    _, key = pair(tmp_path, "b")

    with pytest.raises(ConfigurationError, match="the key does not belong to"):
        compiled(f"tls: {{certificates: [{{certFile: {cert}, keyFile: {key}}}]}}")


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there refuses the configuration and names itself."""
    _, key = pair(tmp_path, "a")

    with pytest.raises(BadPem, match=r"gone\.pem cannot be read: No such file"):
        read_certificate(str(tmp_path / "gone.pem"), str(key))


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"])
def test_no_certificate_is_refused(tmp_path: Path, text: str) -> None:
    """Text that is no certificate is an error that says so."""
    path = tmp_path / "x.pem"
    path.write_text(text)

    with pytest.raises(BadPem):
        read_certificate(str(path), str(path))
    with pytest.raises(BadPem):
        read_authorities((str(path),))


def test_authorities_are_joined(tmp_path: Path) -> None:
    """Several authorities are trusted together; none means the system's."""
    first, second = pair(tmp_path, "a")[0], pair(tmp_path, "b")[0]

    assert read_authorities((str(first), second.read_text())).count("BEGIN CERTIFICATE") == 2
    assert read_authorities(()) == ""
