"""The file that a backup is: what is in it, who can read it, and what is refused when it comes back."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from doorward.assembly import state_folder
from doorward.assembly.backups import archive, restoring, sealing, taking
from doorward.assembly.backups.archive import Entry, Manifest
from doorward.assembly.state_folder import StateFolder
from doorward.cli.plans import plan_of
from doorward.messages.plan import Plan

PHRASE = "correct horse battery"


def silent(done: int, of: int) -> None:
    """Nobody is told how far it is."""


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """A state folder, with a database that is open and has more in its log than in its file."""
    path = tmp_path / "data"
    state_folder.make(path)
    for name in ("ca/ca.key", "blueprints/own/site.yaml", "secret.key", "run/doorward.pid", "lock", "mail/1.eml"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"content of {name}")
    (path / "blueprints" / "elsewhere").symlink_to("/etc")
    (path / "blueprints" / "passwd").symlink_to("/etc/passwd")
    return StateFolder(path, path / "run")


@pytest.fixture
def database(folder: StateFolder) -> sqlite3.Connection:
    connection = sqlite3.connect(folder.database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE pairs (one INTEGER, other INTEGER)")
    return connection


@pytest.fixture
def plan(folder: StateFolder) -> Plan:
    config = folder.path.parent / "doorward.yml"
    config.write_text(f"identity: {{externalUrl: 'https://auth.example.test', data: {folder.path}}}\n")
    return plan_of(config)


def names(file: Path) -> list[str]:
    with tarfile.open(file) as tar:
        return tar.getnames()


def test_one_private_file_that_says_what_it_is(folder: StateFolder, database: sqlite3.Connection, plan: Plan) -> None:
    """Mode 0600, the warning in its first bytes, all that is needed, and nothing of what runs."""
    # S-810
    target = folder.path.parent / "doorward.backup"

    taken = taking.take(plan, folder, target, "", silent)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().startswith(b"DOORWARD-BACKUP-HOLDS-SECRETS")
    assert names(target) == [
        "DOORWARD-BACKUP-HOLDS-SECRETS",
        "manifest.json",
        "state/blueprints/own/site.yaml",
        "state/ca/ca.key",
        "state/doorward.sqlite3",
        "state/secret.key",
    ]
    assert set(taken.links) == {"blueprints/elsewhere", "blueprints/passwd"}
    assert not [path for path in folder.path.parent.iterdir() if path.name.endswith(".part")]
    assert not list(folder.path.glob(".backup-*"))
    with pytest.raises(taking.CannotBackUp, match="exists already"):
        taking.take(plan, folder, target, "", silent)


def test_the_copy_is_of_one_moment(folder: StateFolder, database: sqlite3.Connection, plan: Plan) -> None:
    """However much is written meanwhile: what was written together is there together."""
    # S-810
    database.execute("BEGIN")
    database.executemany("INSERT INTO pairs VALUES (?, ?)", [(0, 0)] * 2_000)
    database.execute("COMMIT")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            database.execute("UPDATE pairs SET one = ?, other = ?", (number, number))

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    try:
        taking.take(plan, folder, folder.path.parent / "a", "", lambda done, of: seen.append(done))
    finally:
        stop.set()
        writer.join()

    with tarfile.open(folder.path.parent / "a") as tar:
        inside = tar.extractfile("state/doorward.sqlite3")
        assert inside is not None
        (folder.path.parent / "state").mkdir()
        (folder.path.parent / "state" / "doorward.sqlite3").write_bytes(inside.read())
    copy = sqlite3.connect(folder.path.parent / "state" / "doorward.sqlite3")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT count(DISTINCT one), sum(one <> other), count(*) FROM pairs").fetchone() == (
        1,
        0,
        2_000,
    )
    assert seen


def test_a_damaged_database_is_not_taken_for_a_backup(
    folder: StateFolder, database: sqlite3.Connection, plan: Plan
) -> None:
    """It is said while there still is an older one."""
    database.execute("BEGIN")
    database.executemany("INSERT INTO pairs VALUES (?, ?)", [(number, number) for number in range(5000)])
    database.execute("COMMIT")
    database.close()
    content = bytearray(folder.database.read_bytes())
    content[8192:8292] = b"\xff" * 100
    folder.database.write_bytes(content)
    target = folder.path.parent / "a"

    with pytest.raises(taking.CannotBackUp):
        taking.take(plan, folder, target, "", silent)

    assert not target.exists()


def test_encrypted_it_tells_nothing(folder: StateFolder, database: sqlite3.Connection, plan: Plan) -> None:
    """But that it holds secrets; with the passphrase all of it comes back."""
    # S-810
    taking.take(plan, folder, target := folder.path.parent / "a", PHRASE, silent)

    content = target.read_bytes()
    assert content.startswith(b"DOORWARD ENCRYPTED BACKUP: HOLDS SECRETS")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert b"content of" not in content
    assert b"manifest" not in content
    with target.open("rb") as source, archive.opened(io.BufferedReader(sealing.SealedReader(source, PHRASE))) as tar:
        manifest = archive.read_manifest(tar)
        place = folder.path.parent / "out"
        place.mkdir()
        archive.extract(tar, manifest, place, silent)
    assert (place / "secret.key").read_text() == "content of secret.key"
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.rglob("*")} == {0o600, 0o700}


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20])
def test_what_is_sealed_comes_back(size: int) -> None:
    """Whatever its size is to the size of a piece."""
    file, text = io.BytesIO(), os.urandom(size)
    writer = sealing.SealedWriter(file, PHRASE)
    writer.write(text)
    writer.finish()

    file.seek(0)
    assert io.BufferedReader(sealing.SealedReader(file, PHRASE)).read() == text


@pytest.mark.parametrize(
    "harm",
    [
        lambda header, pieces: header + pieces[0] + pieces[1],
        lambda header, pieces: header + pieces[1] + pieces[0] + pieces[2],
        lambda header, pieces: header + pieces[0] + pieces[2],
        lambda header, pieces: header + b"".join(pieces) + b"x" * 20,
        lambda header, pieces: header + pieces[0][:-1] + b"x" + pieces[1] + pieces[2],
        lambda header, pieces: header.replace(b'"passes":3', b'"passes":2') + b"".join(pieces),
        lambda header, pieces: header.replace(b'"memory":65536', b'"memory":99999999') + b"".join(pieces),
        lambda header, pieces: header,
    ],
)
def test_what_was_changed_does_not_open(harm: Callable[[bytes, list[bytes]], bytes]) -> None:
    """Cut off, exchanged, left out, added to, altered; and no header makes us take more memory than there is."""
    # S-810
    file = io.BytesIO()
    writer = sealing.SealedWriter(file, PHRASE)
    writer.write(bytes(2 * (1 << 20) + 5))
    writer.finish()
    whole, piece = file.getvalue(), (1 << 20) + 16
    header = whole[: len(whole) - 2 * piece - 21]
    pieces = [whole[len(header) + start :][:piece] for start in (0, piece, 2 * piece)]

    with pytest.raises(sealing.CannotOpen):
        io.BufferedReader(sealing.SealedReader(io.BytesIO(harm(header, pieces)), PHRASE)).read()


def test_another_passphrase_does_not_open() -> None:
    """It says so."""
    file = io.BytesIO()
    sealing.SealedWriter(file, PHRASE).finish()
    file.seek(0)

    with pytest.raises(sealing.CannotOpen, match="passphrase is wrong"):
        sealing.SealedReader(file, "another horse battery").read()


def packed(manifest: Manifest | None, *members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    """A tar that somebody made."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        told = [(tarfile.TarInfo(archive.NOTE), b"")]
        if manifest is not None:
            told.append((tarfile.TarInfo(archive.MANIFEST), msgspec.json.encode(manifest)))
        for member, content in (*told, *members):
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    file.seek(0)
    return file


def manifest(*paths: str, version: str = "0.1.0", form: int = 1, content: bytes = b"x") -> Manifest:
    import hashlib

    entries = tuple(Entry(path, len(content), hashlib.sha256(content).hexdigest()) for path in paths)
    return Manifest(form, version, datetime.now(UTC), "https://auth.example.test", "sqlite", entries)


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (io.BytesIO(b"no tar at all" * 100), "no backup of Doorward"),
        (io.BytesIO(b""), "no backup of Doorward"),
        (packed(None), "ends before manifest.json"),
        (packed(manifest("../x"), (tarfile.TarInfo("state/../x"), b"x")), "no place below"),
        (packed(manifest("/etc/x"), (tarfile.TarInfo("state//etc/x"), b"x")), "no place below"),
        (packed(manifest("a/../../x")), "no place below"),
        (packed(manifest("a//x")), "no place below"),
        (packed(manifest("x", "x")), "names a file twice"),
        (packed(manifest("x"), (link("state/x"), b"")), "stands where state/x should"),
        (packed(manifest("x"), (tarfile.TarInfo("state/y"), b"x")), "stands where state/x should"),
        (packed(manifest("x"), (tarfile.TarInfo("state/x"), b"y")), "checksum differs"),
        (packed(manifest("x"), (tarfile.TarInfo("state/x"), b"xx")), "not of the size"),
        (packed(manifest("x")), "ends before state/x"),
        (packed(manifest(), (tarfile.TarInfo("state/more"), b"x")), "more in it"),
        (packed(manifest(form=2)), "newer version"),
        (packed(manifest(version="99.0")), "made by version 99.0"),
        (packed(manifest()), "no secret.key"),
    ],
)
def test_what_is_no_backup_of_ours_touches_nothing(tmp_path: Path, file: io.BytesIO, said: str) -> None:
    """Paths that lead out, links, wrong checksums, newer versions: refused, and the folder is as it was."""
    # S-810
    (tmp_path / "file").write_bytes(file.getvalue())
    target = tmp_path / "data"
    target.mkdir(0o700)
    (target / "secret.key").write_text("mine")

    with pytest.raises(restoring.CannotRestore, match=said):
        restoring.restore(
            tmp_path / "file", target, None, passphrase=lambda: "", replace=True, keep_tokens=False, progress=silent
        )

    assert (target / "secret.key").read_text() == "mine"
    assert {path.name for path in target.iterdir()} <= {"secret.key", "lock"}
    assert {path.name for path in tmp_path.iterdir()} == {"file", "data"}


def test_deep_paths_stay_below(tmp_path: Path) -> None:
    """A folder of the archive is made, privately."""
    place = tmp_path / "place"
    place.mkdir()
    good = packed(manifest("a/b/c"), (tarfile.TarInfo("state/a/b/c"), b"x"))
    with archive.opened(good) as tar:
        archive.extract(tar, archive.read_manifest(tar), place, silent)

    assert (place / "a" / "b" / "c").read_bytes() == b"x"


def test_nothing_starts_on_half_a_restore(folder: StateFolder) -> None:
    """It says what to do; a restore that goes to its end makes it good."""
    # S-810
    (folder.path / state_folder.UNFINISHED).touch()

    with pytest.raises(state_folder.StateFolderUnusable, match="doorward restore again"):
        state_folder.opened(folder.path)
