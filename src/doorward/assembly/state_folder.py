"""The folder in which one installation keeps everything: database, key, certificate authority, sockets.

It belongs to one running program at a time (a lock says so) and to its owner alone (mode 0700). While a new version
takes over from the running one there are two process trees on it; each has a place for sockets of its own:

    run/supervisor.sock   where the running program is asked to hand over
    run/doorward.pid      the process number of its supervisor
    run/<number>/         the private sockets of the tree below the supervisor of that number
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

UNFINISHED = "restore-unfinished"
"""Lies in the folder while a restored state takes the former one's place, and no program starts on it."""
SOCKET_PATH_LIMIT = 100
"""The kernel takes 107 bytes for the path of a Unix socket; some room for the file's name."""


class StateFolderUnusable(Exception):
    """The folder cannot be made, written, or is in use by another program."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    path: Path
    run: Path
    """Where this tree's sockets are: inside the folder, or in a private temporary one where the path would be too
    long."""

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

    @property
    def back_channel_socket(self) -> Path:
        """The identity provider's pages and API once more, for the outpost alone."""
        return self.run / "identity-back.sock"

    @property
    def explain_socket(self) -> Path:
        return self.run / "explain.sock"

    @property
    def pid_file(self) -> Path:
        return self.run.parent / "doorward.pid"

    @property
    def supervisor_socket(self) -> Path:
        return self.run.parent / "supervisor.sock"

    @property
    def own_supervisor_socket(self) -> Path:
        """Where this tree's supervisor listens before it is in command."""
        return self.run / "supervisor.sock"

    def is_alone(self) -> bool:
        """No other tree works on this folder now."""
        return sum(entry.name.isdecimal() for entry in self.run.parent.iterdir()) < 2

    def command(self) -> None:
        """From now on this very process is the supervisor that is asked, and whose number is written down."""
        self.announce()
        self.own_supervisor_socket.replace(self.supervisor_socket)

    def announce(self) -> None:
        """From now on this very process is the one whose number is written down."""
        written = self.run / "doorward.pid"
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(f"{os.getpid()}\n")
        written.replace(self.pid_file)

    def close(self) -> None:
        """Remove the sockets of a tree that has ended, and everything else when it was the last."""
        shutil.rmtree(self.run, ignore_errors=True)
        if not any(entry.name.isdecimal() for entry in self.run.parent.iterdir()):
            _remove_run(self.path / "run")


def running(path: Path) -> StateFolder:
    """The folder of the program that runs on it now. Raises StateFolderUnusable when none does."""
    try:
        run = (path / "run").resolve(strict=True)
        number = int((run / "doorward.pid").read_text())
        tree = run / str(number) if _is_alive(number) else None
    except (FileNotFoundError, ValueError):
        tree = None
    except OSError as error:
        raise StateFolderUnusable(f"the state folder {path} cannot be read: {error.strerror}") from error
    if tree is None:
        raise StateFolderUnusable(
            f"no Doorward is running on the state folder {path}. Name the right one with --data or --config."
        )
    return StateFolder(path, tree)


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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


def opened(path: Path, *, beside: bool = False) -> StateFolder:
    """The folder with an empty, private place for sockets. Call with the lock held. Raises StateFolderUnusable.

    ``beside``: the tree of another version is running there, and its place stays as it is.
    """
    if (path / UNFINISHED).exists():
        raise StateFolderUnusable(
            f"a restore into the state folder {path} was interrupted. Run doorward restore again, with --replace."
        )
    run = path / "run"
    if not beside:
        _remove_run(run)
        longest = run / str(1 << 22) / "identity-rpc.sock"
        if len(os.fsencode(longest)) > SOCKET_PATH_LIMIT:
            run.symlink_to(tempfile.mkdtemp(prefix="doorward-"))
        else:
            run.mkdir(mode=0o700)
    own = run.resolve() / str(os.getpid())
    own.mkdir(mode=0o700)
    return StateFolder(path, own)


def _remove_run(run: Path) -> None:
    if run.is_symlink():
        shutil.rmtree(run.resolve(), ignore_errors=True)
        run.unlink()
    else:
        shutil.rmtree(run, ignore_errors=True)
