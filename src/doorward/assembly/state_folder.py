"""The folder in which one installation keeps everything: database, key, certificate authority, sockets.

It belongs to one running program at a time (a lock says so) and to its owner alone (mode 0700).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 100
"""The kernel takes 107 bytes for the path of a Unix socket; some room for the file's name."""


class StateFolderUnusable(Exception):
    """The folder cannot be made, written, or is in use by another program."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    path: Path
    run: Path
    """Where the sockets are: inside the folder, or a private temporary one where the path would be too long."""

    @property
    def database(self) -> Path:
        return self.path / "doorward.sqlite3"

    @property
    def secret_key(self) -> Path:
        return self.path / "secret.key"

    @property
    def authority(self) -> Path:
        return self.path / "ca"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def identity_socket(self) -> Path:
        return self.run / "identity.sock"

    @property
    def rpc_socket(self) -> Path:
        return self.run / "identity-rpc.sock"

    def close(self) -> None:
        """Remove the sockets of a program that has ended."""
        shutil.rmtree(self.run, ignore_errors=True)


def make(path: Path) -> None:
    """Create the folder if missing and see that we can write there. Raises StateFolderUnusable."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise StateFolderUnusable(
            f"cannot write to the state folder {path}: {error.strerror}. "
            f"Choose another with --data (or identity.data in the configuration), or change its owner."
        ) from error


def locked(path: Path) -> int:
    """Take the folder's lock; the descriptor holds it until the process ends. Raises StateFolderUnusable."""
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StateFolderUnusable(
            f"another Doorward is running on the state folder {path}. Stop it first, or choose another with --data."
        ) from error
    return descriptor


def opened(path: Path) -> StateFolder:
    """The folder with an empty, private place for sockets. Call with the lock held."""
    run = path / "run"
    if len(os.fsencode(run)) > SOCKET_PATH_LIMIT - len("identity-rpc.sock"):
        return StateFolder(path, Path(tempfile.mkdtemp(prefix="doorward-")))
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o700)
    return StateFolder(path, run)
