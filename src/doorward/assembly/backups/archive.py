"""The file that a backup is: a tar, so that it opens with common tools too, of regular files and nothing else.

    DOORWARD-BACKUP-HOLDS-SECRETS      what this is, in words: the first thing that anybody sees of it
    manifest.json                      version, moment, and size and SHA-256 of every file that follows
    state/…                            the state folder

Reading trusts nothing: names are those of the manifest and stay below the folder, there are no links and no devices,
and what differs from the manifest in any way is refused (``BadArchive``).
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

NOTE = "DOORWARD-BACKUP-HOLDS-SECRETS"
TEXT = (
    "This is a backup of Doorward. It holds secrets: the key of the installation, private keys, the hashes of\n"
    "everybody's passwords. Whoever can read it can become everybody. Keep it like a password.\n\n"
    "doorward restore FILE --config doorward.yml    puts it back; see docs/how-to/backup.md\n"
)
MANIFEST = "manifest.json"
STATE = "state/"
FORMAT = 1
LARGEST_MANIFEST = 16 << 20
_AT_ONCE = 1 << 20

Progress = Callable[[int, int], None]
"""Told how many bytes were done, of how many."""


class BadArchive(Exception):
    """The file is no backup, or not whole, or holds what none holds; the text says what."""


class Entry(msgspec.Struct, frozen=True):
    """One file."""

    path: str
    """Below the state folder, with slashes."""
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the backup is, and what it consists of."""

    format: int
    version: str
    """Of the program that made it."""
    created: datetime
    """Nothing that happened later is in it."""
    external_url: str
    database: str
    """``sqlite``, or ``postgresql``: that is not in it."""
    files: tuple[Entry, ...]


def entry_of(folder: Path, path: str) -> Entry:
    """Of a file that does not change any more. Raises OSError."""
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Entry(path, file.tell(), digest)


def write(target: IO[bytes], manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Write everything into ``target``. Raises OSError."""
    total = sum(entry.size for entry in manifest.files)
    done = 0
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, content in ((NOTE, TEXT.encode()), (MANIFEST, msgspec.json.encode(manifest))):
            tar.addfile(_member(name, len(content), manifest.created), io.BytesIO(content))
        for entry in manifest.files:
            with (folder / entry.path).open("rb") as file:
                tar.addfile(_member(STATE + entry.path, entry.size, manifest.created), file)
            done += entry.size
            progress(done, total)


def read_manifest(tar: tarfile.TarFile) -> Manifest:
    """The first two members. Raises BadArchive."""
    _next(tar, NOTE)
    member = _next(tar, MANIFEST)
    if member.size > LARGEST_MANIFEST:
        raise BadArchive("its manifest is too large")
    content = tar.extractfile(member)
    assert content is not None
    try:
        manifest = msgspec.json.decode(content.read(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BadArchive(f"its manifest cannot be read: {error}") from error
    if manifest.format > FORMAT:
        raise BadArchive(f"it was made by a newer version ({manifest.version}): restore it with that one")
    paths = [entry.path for entry in manifest.files]
    if len(set(paths)) != len(paths):
        raise BadArchive("its manifest names a file twice")
    for path in paths:
        _require_inside(path)
    return manifest


def extract(tar: tarfile.TarFile, manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Lay all files below ``folder``, which is empty and ours alone. Raises BadArchive, OSError."""
    total = sum(entry.size for entry in manifest.files)
    done = 0
    for entry in manifest.files:
        member = _next(tar, STATE + entry.path)
        if member.size != entry.size:
            raise BadArchive(f"{entry.path} is not of the size that the manifest says")
        content = tar.extractfile(member)
        assert content is not None
        done += _lay(content, entry, folder / entry.path)
        progress(done, total)
    if _member_or_none(tar) is not None:
        raise BadArchive("there is more in it than its manifest says")


def opened(source: IO[bytes]) -> tarfile.TarFile:
    """Read from the beginning to the end, once. Raises BadArchive."""
    try:
        return tarfile.open(fileobj=source, mode="r|")
    except tarfile.TarError as error:
        raise BadArchive("it is no backup of Doorward") from error


def _lay(content: IO[bytes], entry: Entry, path: Path) -> int:
    _make_private(path.parent)
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in _pieces(content):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != entry.sha256:
        raise BadArchive(f"{entry.path} is not what was put in: the checksum differs")
    return entry.size


def _make_private(folder: Path) -> None:
    """``mkdir(parents=True)`` would make the folders above with whatever mode is usual."""
    if not folder.exists():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700)


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := content.read(_AT_ONCE):
            yield piece
    except tarfile.TarError as error:
        raise BadArchive(f"it is damaged: {error}") from error


def _next(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    member = _member_or_none(tar)
    if member is not None and member.name == name and member.isreg():
        return member
    if name == NOTE:
        raise BadArchive("it is no backup of Doorward")
    raise BadArchive(f"it ends before {name}" if member is None else f"{member.name!r} stands where {name} should")


def _member_or_none(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except tarfile.TarError as error:
        raise BadArchive(f"it is damaged: {error}") from error


def _require_inside(path: str) -> None:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or str(pure) != path or "\0" in path or "\\" in path:
        raise BadArchive(f"{path!r} is no place below a state folder")


def _member(name: str, size: int, moment: datetime) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(moment.timestamp())
    return member
