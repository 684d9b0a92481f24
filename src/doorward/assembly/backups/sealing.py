"""A backup under a passphrase: Argon2id makes the key, AES-256-GCM seals it piece by piece.

    DOORWARD ENCRYPTED BACKUP          a line that says what this is
    {"salt": …, "memory": …, …}        a line with how the key is made; both are covered by every piece
    piece, piece, … last piece         each 1 MiB, with its number and whether it is the last as nonce

So pieces cannot be exchanged, left out or cut off without it being seen, and nothing is given out before it was
checked. The key is another one in every file, because the salt is: no nonce ever comes twice.
"""

from __future__ import annotations

import base64
import io
import os
from typing import IO, TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"DOORWARD ENCRYPTED BACKUP: HOLDS SECRETS, NEEDS ITS PASSPHRASE\n"
SHORTEST_PASSPHRASE = 12
_PIECE = 1 << 20
_TAG = 16
_LONGEST_HEADER = 512


class CannotOpen(Exception):
    """The passphrase is wrong, or the file is no sealed backup, cut off or altered; the text says which."""


class _Making(msgspec.Struct, frozen=True):
    """How the key is made: RFC 9106's second recommendation, 64 MiB."""

    salt: str
    memory: int = 65536
    """KiB."""
    passes: int = 3
    lanes: int = 4

    def key(self, passphrase: str) -> bytes:
        from argon2.low_level import Type, hash_secret_raw

        salt = base64.b64decode(self.salt, validate=True)
        if not (16 <= len(salt) <= 64 and 8 <= self.memory <= 1 << 20 and 1 <= self.passes <= 16):
            raise ValueError
        if not 1 <= self.lanes <= 16:
            raise ValueError
        return hash_secret_raw(passphrase.encode(), salt, self.passes, self.memory, self.lanes, 32, Type.ID)


class SealedWriter(io.RawIOBase):
    """What is written here arrives sealed in ``target``; ``finish`` writes the last piece."""

    def __init__(self, target: IO[bytes], passphrase: str) -> None:
        self._target = target
        making = _Making(base64.b64encode(os.urandom(16)).decode())
        self._header = MAGIC + msgspec.json.encode(making) + b"\n"
        self._cipher = AESGCM(making.key(passphrase))
        self._number = 0
        self._waiting = bytearray()
        target.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        given = memoryview(data).nbytes
        self._waiting += data
        while len(self._waiting) > _PIECE:  # the last piece is never empty unless everything is
            self._seal(bytes(self._waiting[:_PIECE]), last=False)
            del self._waiting[:_PIECE]
        return given

    def finish(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._header))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads what a ``SealedWriter`` wrote. Raises CannotOpen, also on the way."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        self._source = source
        if source.read(len(MAGIC)) != MAGIC:
            raise CannotOpen("this is no encrypted backup")
        line = source.readline(_LONGEST_HEADER)
        self._header = MAGIC + line
        try:
            self._cipher = AESGCM(msgspec.json.decode(line, type=_Making).key(passphrase))
        except (msgspec.DecodeError, ValueError) as error:
            raise CannotOpen("the beginning of the encrypted backup is damaged") from error
        self._number = 0
        self._next = source.read(_PIECE + _TAG)
        self._open = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._open and not self._ended:
            self._unseal()
        room = memoryview(buffer).cast("B")
        taken = self._open[: len(room)]
        room[: len(taken)] = taken
        self._open = self._open[len(taken) :]
        return len(taken)

    def _unseal(self) -> None:
        piece, self._next = self._next, self._source.read(_PIECE + _TAG)
        self._ended = not self._next
        try:
            self._open = self._cipher.decrypt(_nonce(self._number, last=self._ended), piece, self._header)
        except (InvalidTag, ValueError) as error:
            wrong = "the passphrase is wrong, or the file is damaged" if self._number == 0 else "the file is damaged"
            raise CannotOpen(wrong) from error
        self._number += 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
