"""Certificates and keys out of files, at the moment the table is made: workers get PEM text and open nothing.

Every file that is asked for, whether it exists or not, is noted while ``files_read`` is in force: when one of them
changes, the table must be made anew.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from doorward.messages.routing import Certificate

MAX_BYTES = 1 << 20


_noted: ContextVar[set[Path] | None] = ContextVar("files read", default=None)


class BadPem(ValueError):
    """A certificate, key or authority that cannot be used, and why."""


@contextmanager
def files_read() -> Iterator[set[Path]]:
    """Collects the paths of everything that is read within."""
    noted: set[Path] = set()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note_file(path: Path) -> None:
    """What is made now depends on ``path``: a file, or a folder whose entries count."""
    noted = _noted.get()
    if noted is not None:
        noted.add(path)


def read_pem(value: str) -> str:
    """PEM text: ``value`` itself, or the file that it names. Raises BadPem."""
    if "-----BEGIN" in value:
        return value
    note_file(Path(value))
    try:
        with Path(value).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BadPem(f"{value} is larger than {MAX_BYTES} bytes")
        text = raw.decode("ascii")
    except OSError as error:
        raise BadPem(f"{value} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise BadPem(f"{value} is no PEM text") from None
    if "-----BEGIN" not in text:
        raise BadPem(f"{value} is no PEM text")
    return text


def read_certificate(cert: str, key: str) -> Certificate:
    """A chain and its key, which belong together. Raises BadPem."""
    chain_pem, key_pem = read_pem(cert), read_pem(key)
    name = "the certificate" if "-----BEGIN" in cert else cert
    try:
        leaf = x509.load_pem_x509_certificates(chain_pem.encode())[0]
        private = load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, IndexError) as error:
        raise BadPem(f"{name} or its key cannot be used: {_first_line(error)}") from error
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*encoding) != private.public_key().public_bytes(*encoding):
        raise BadPem(f"the key does not belong to {name}")
    return Certificate(chain_pem, key_pem)


def read_authorities(values: tuple[str, ...]) -> str:
    """The PEM text of all authorities; empty for the system's. Raises BadPem."""
    text = "\n".join(read_pem(value) for value in values)
    if text:
        try:
            ssl.create_default_context(cadata=text)
        except ssl.SSLError as error:
            raise BadPem(f"{', '.join(values)[:200]}: not usable as authorities: {error.reason}") from error
    return text


def _first_line(error: Exception) -> str:
    """Long explanations of a library are no reason for an operator to read on."""
    return str(error).partition("\n")[0][:200]
