"""TLS on one's own machine: the authority is made once, can harm nobody, and its leaves are what browsers accept."""

from __future__ import annotations

import shutil
import socket
import ssl
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doorward.assembly import local_ca, trust
from doorward.assembly.local_ca import LOCAL_NAMES, LocalAuthority, LocalAuthorityBroken, ensure


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    return ensure(tmp_path / "ca")


def handshake(chain_pem: str, key_pem: str, trusted_pem: str, name: str, folder: Path) -> None:
    """A TLS handshake on loopback, the client asking for ``name``. Raises what the client meets."""
    (folder / "chain.pem").write_text(chain_pem)
    (folder / "key.pem").write_text(key_pem)
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    client_context = ssl.create_default_context(cadata=trusted_pem)
    client_context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            server_context.wrap_socket(far, server_side=True).close()
        except ssl.SSLError:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client_context.wrap_socket(near, server_hostname=name).close()
    finally:
        near.close()
        thread.join()


@pytest.mark.parametrize("name", LOCAL_NAMES)
def test_a_client_that_trusts_the_authority_reaches_every_local_name(
    authority: LocalAuthority, tmp_path: Path, name: str
) -> None:
    """One leaf serves the whole demonstration, under OpenSSL's strict checks."""
    handshake(*authority.leaf(), authority.certificate_pem, name, tmp_path)


def test_other_names_do_not_match(authority: LocalAuthority, tmp_path: Path) -> None:
    """A host that nobody asked for gets no valid certificate."""
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(*authority.leaf(), authority.certificate_pem, "other.localhost", tmp_path)


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com", "notlocalhost", "*.localhost", "10.0.0.1"])
def test_the_authority_refuses_to_sign_for_others(authority: LocalAuthority, name: str) -> None:
    """Asked for a name that is not this machine's, it says so."""
    with pytest.raises(ValueError, match="localhost"):
        authority.leaf(["localhost", name])


def test_a_stolen_authority_key_is_worth_nothing_elsewhere(
    authority: LocalAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a leaf that was signed for another host is refused by clients: the certificate constrains the names."""
    monkeypatch.setattr(local_ca, "_is_local", lambda name: True)

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(*authority.leaf(["bank.example"]), authority.certificate_pem, "bank.example", tmp_path)


def test_files_are_readable_by_the_owner_only(authority: LocalAuthority) -> None:
    """Folder 0700, files 0600, whatever the umask."""
    authority.leaf()

    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in authority.folder.iterdir()} == {
        "ca.pem": 0o600,
        "ca.key": 0o600,
        "leaf.pem": 0o600,
        "leaf.key": 0o600,
    }


def test_a_second_start_uses_the_same_authority_and_leaf(authority: LocalAuthority) -> None:
    """What a browser was told to trust stays valid between runs."""
    again = ensure(authority.folder)

    assert again.certificate_pem == authority.certificate_pem
    assert again.leaf() == authority.leaf()


def test_a_leaf_that_is_nearly_over_is_made_anew(authority: LocalAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer than thirty days left the leaf is replaced, and the new one lives ninety."""
    monkeypatch.setattr(local_ca, "LEAF_LIFE", timedelta(days=29))
    old, _ = authority.leaf()
    monkeypatch.undo()
    new, _ = authority.leaf()

    assert new != old
    ends = x509.load_pem_x509_certificate(new.encode()).not_valid_after_utc
    assert timedelta(days=89) < ends - datetime.now(UTC) < timedelta(days=91)


def test_other_names_need_another_leaf(authority: LocalAuthority) -> None:
    """Asked for more names than the kept leaf has, a new one is made."""
    assert authority.leaf() != authority.leaf([*LOCAL_NAMES, "app.localhost"])


def test_a_leaf_of_another_authority_is_not_kept(authority: LocalAuthority, tmp_path: Path) -> None:
    """Files that somebody swapped do not get served."""
    other = ensure(tmp_path / "other")
    authority.leaf()
    for name in ("leaf.pem", "leaf.key"):
        (authority.folder / name).write_text(dict(zip(("leaf.pem", "leaf.key"), other.leaf(), strict=True))[name])

    handshake(*authority.leaf(), authority.certificate_pem, "localhost", tmp_path)


def test_a_damaged_authority_is_an_error_and_stays_as_it_is(authority: LocalAuthority) -> None:
    """Nothing is overwritten: the message says which folder to move away."""
    (authority.folder / "ca.key").write_text("garbage")

    with pytest.raises(LocalAuthorityBroken, match="move the folder away"):
        ensure(authority.folder)
    assert (authority.folder / "ca.key").read_text() == "garbage"


def test_the_key_of_another_authority_is_an_error(authority: LocalAuthority) -> None:
    """A key that does not belong to the certificate is noticed at start, not in the handshake."""
    key = ec.generate_private_key(ec.SECP256R1())
    (authority.folder / "ca.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    with pytest.raises(LocalAuthorityBroken, match="is not the key of"):
        ensure(authority.folder)


def test_the_certificate_is_what_browsers_ask_for(authority: LocalAuthority) -> None:
    """An end-entity certificate for servers, P-256 with SHA-256, hosts in the subject alternative name."""
    leaf = x509.load_pem_x509_certificate(authority.leaf()[0].encode())

    assert isinstance(leaf.signature_hash_algorithm, hashes.SHA256)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "whoami.localhost", "auth.localhost"]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_installing_adds_to_the_users_nss_database(authority: LocalAuthority, tmp_path: Path) -> None:
    """Chromium's database then knows the authority, the old one of the same name is gone, and the rest is told."""
    certutil = shutil.which("certutil")
    assert certutil, "apt-get install libnss3-tools"
    home = tmp_path / "home"
    for _ in range(2):
        report = trust.install(authority, home=home, system_folder=tmp_path / "missing")

    listed = subprocess.run(
        [certutil, "-d", f"sql:{home / trust.NSS_FOLDER}", "-L"], capture_output=True, text=True, check=True
    ).stdout
    assert listed.count("Doorward local CA") == 1
    assert str(home) in str(report)
    assert f"sudo cp {authority.certificate_path}" in str(report)
    assert "Firefox" in str(report)
