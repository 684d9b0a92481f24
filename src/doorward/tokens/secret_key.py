"""The installation's secret key: one file, made on first start, readable by its owner alone (S-801)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class SecretKeyUnusable(Exception):
    """The file is too short, or others can read it."""


def read_secret_key(file: Path) -> bytes:
    """The 32 bytes in ``file``, created if missing. Raises SecretKeyUnusable, OSError."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_hex(32) + "\n")
            new.flush()
            os.fsync(new.fileno())
    if file.stat().st_mode & 0o077:
        raise SecretKeyUnusable(f"{file} can be read by others; run: chmod 600 {file}")
    try:
        key = bytes.fromhex(file.read_text().strip())
    except ValueError as error:
        raise SecretKeyUnusable(f"{file} is not hexadecimal text") from error
    if len(key) < 32:
        raise SecretKeyUnusable(f"{file} holds {len(key)} bytes; at least 32 are needed")
    return key
