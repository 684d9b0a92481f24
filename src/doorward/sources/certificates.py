"""``tls.certificates`` and ``tls.stores``: from what an operator names to the certificates that workers show.

An entry is one pair, every pair that fits a ``*``, or every pair in a folder. A pair that can no longer be used (half
written, gone) is replaced by what was last read from the same place (S-705): a renewal
that goes wrong takes no host off the air and keeps no other change from being made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import Problem
from doorward.config.tls import Certificate as Entry
from doorward.messages.compiling import KeptPair
from doorward.messages.routing import Certificate
from doorward.net.tls import CertificateUnusable, check_certificate
from doorward.sources.pem import BadPem, note_file, read_certificate

SUFFIXES = (".crt", ".pem", ".cer")
MAX_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class _Read:
    certificate: Certificate
    ends: datetime


class Shelf:
    """What was read last from each place. Each table is made with the same one, or with one that begins with its
    ``pairs``."""

    def __init__(self, pairs: Iterable[KeptPair] = ()) -> None:
        self._kept = {(pair.cert, pair.key): _read(pair.certificate) for pair in pairs}

    def pairs(self) -> tuple[KeptPair, ...]:
        """What is remembered."""
        return tuple(KeptPair(*place, read.certificate) for place, read in self._kept.items())

    def read(self, cert: str, key: str) -> tuple[_Read, str]:
        """The pair, and why it is an older one than that which lies there now (empty: it is not).

        Raises BadPem when it cannot be used and nothing older is known.
        """
        kept = self._kept.get((cert, key))
        try:
            certificate = read_certificate(cert, key)
            if kept is not None and kept.certificate == certificate:
                return kept, ""
            check_certificate(certificate)
        except (BadPem, CertificateUnusable) as error:
            if kept is None:
                raise BadPem(str(error)) from error
            return kept, str(error)
        read = self._kept[cert, key] = _read(certificate)
        return read, ""


def _read(certificate: Certificate) -> _Read:
    leaf = x509.load_pem_x509_certificate(certificate.chain_pem.encode())
    return _Read(certificate, leaf.not_valid_after_utc)


class Certificates:
    """Those of one table. ``problems`` refuse it, ``warnings`` are for its author."""

    def __init__(self, providers: Mapping[str, DynamicConfiguration], shelf: Shelf) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self._shelf = shelf
        made: dict[Certificate, None] = {}
        self.default: Certificate | None = None
        """Of the store ``default``; None when no provider has one."""
        for provider, configuration in providers.items():
            for number, entry in enumerate(configuration.tls.certificates):
                path = f"{provider}: tls.certificates[{number}]"
                if set(entry.stores) - {"default"}:
                    self._refuse(path, "only the store 'default' exists")
                made.update(dict.fromkeys(self._entry(entry, path)))
            self._stores(configuration, provider)
        self.all = tuple(made)

    def _stores(self, configuration: DynamicConfiguration, provider: str) -> None:
        for name, store in configuration.tls.stores.items():
            path = f"{provider}: tls.stores.{name}"
            given = store.default_certificate
            if name != "default":
                self._refuse(path, "only the store 'default' exists")
            elif given is not None and self.default is not None:
                self._refuse(path, "another provider has a default certificate already")
            elif given is not None:
                self.default = next(self._pair(given.cert_file, given.key_file, path), None)

    def _entry(self, entry: Entry, path: str) -> Iterator[Certificate]:
        cert, key = entry.cert_file, entry.key_file
        if "-----BEGIN" in cert or (key and "*" not in cert):
            yield from self._pair(cert, key, path)
            return
        if key:
            found, where = list(_fitting(cert, key)), cert
        else:
            where = f"the folder {cert}"
            try:
                found = list(_in_folder(Path(cert)))
            except OSError as error:
                self._refuse(path, f"{cert} needs a keyFile, or must be a folder that can be read: {error.strerror}")
                return
        if not found:
            self.warnings.append(f"{path}: no certificate fits {where}")
        if len(found) > MAX_PAIRS:
            self._refuse(path, f"{where} holds more than {MAX_PAIRS} certificates")
            return
        yield from self._many(found, path)

    def _pair(self, cert: str, key: str, path: str) -> Iterator[Certificate]:
        """A pair that somebody named: it must be there."""
        try:
            read, why = self._shelf.read(cert, key)
        except BadPem as error:
            self._refuse(path, str(error))
            return
        self._look_at(read, why, path, "" if "-----BEGIN" in cert else cert)
        yield read.certificate

    def _many(self, pairs: list[tuple[str, str]], path: str) -> Iterator[Certificate]:
        """Pairs that were found: one that cannot be used is left out. Of two for one name the fresher one is first."""
        usable = []
        for cert, key in pairs:
            try:
                read, why = self._shelf.read(cert, key)
            except BadPem as error:
                self.warnings.append(f"{path}: left out: {error}")
                continue
            self._look_at(read, why, path, cert)
            usable.append((read.ends, read.certificate))
        usable.sort(key=lambda pair: pair[0], reverse=True)
        yield from (certificate for _, certificate in usable)

    def _look_at(self, read: _Read, why: str, path: str, cert: str) -> None:
        if why:
            self.warnings.append(f"{path}: the certificate that was read before stays in use: {why}")
        if read.ends < datetime.now(UTC):
            self.warnings.append(f"{path}: {cert or 'the certificate'} expired on {read.ends:%Y-%m-%d}")

    def _refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(message, path=path))


def _fitting(cert: str, key: str) -> Iterator[tuple[str, str]]:
    """Files that fit ``cert``, where ``*`` stands for anything within one part of the path, each with its key."""
    before, after = cert.split("*")
    folder = Path(cert[: before.rfind("/") + 1] or ".")
    rest = cert[len(before[: before.rfind("/") + 1]) :]
    fits = re.compile(re.escape(before) + "([^/]*)" + re.escape(after)).fullmatch
    note_file(folder)
    for path in sorted(folder.glob(rest)):
        match = fits(str(path)) or fits(f"./{path}")
        if match is not None and not match[1].startswith(".") and path.is_file():
            yield str(path), key.replace("*", match[1])


def _in_folder(folder: Path) -> Iterator[tuple[str, str]]:
    """Pairs in ``folder``: ``a.crt`` with ``a.key``, ``a.pem`` with ``a.key`` or ``a-key.pem``. Raises OSError."""
    note_file(folder)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or path.stem.endswith("-key"):
            continue
        keys = (path.with_suffix(".key"), path.with_name(f"{path.stem}-key{path.suffix}"))
        yield str(path), str(next((key for key in keys if key.exists()), keys[0]))
