"""From bytes that make sense to bytes that nearly do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

LONGEST = 1 << 17
"""Bytes of an input; a few limits lie just below."""
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x0D, 0x20, 0x3A)


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> bytes:
    """A seed, changed in one to six ways."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        random.choice(_CHANGES)(data, seeds, words, random)
        del data[LONGEST:]
    return bytes(data)


def _place(data: bytearray, random: Random) -> int:
    return random.randrange(len(data) + 1)


def _flip(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice((*_NUMBERS, random.randrange(256)))


def _cut(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    del data[at : at + random.choice((1, 1, 2, 4, 9, 64, 4096))]


def _double(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    piece = data[at : at + random.choice((1, 2, 9, 17, 64, 300))]
    data[at:at] = piece * random.choice((1, 1, 2, 10, 120, 3000))


def _word(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    word = random.choice(words)
    data[at : at + random.choice((0, 0, len(word)))] = word


def _splice(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    other = random.choice(seeds)
    start = random.randrange(len(other) + 1)
    at = _place(data, random)
    data[at:] = other[start:]


def _stretch(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    at = _place(data, random)
    data[at:at] = bytes((random.choice((*_NUMBERS, 0x61)),)) * random.choice((3, 255, 8192, 16385, 65537))


def _sentence(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
    """Words one after the other make frames, fields and chunks that are whole, in an order that is not."""
    data += b"".join(random.choices(words, k=random.choice((2, 5, 20))))


_CHANGES: tuple[Callable[[bytearray, Sequence[bytes], Sequence[bytes], Random], None], ...] = (
    _flip,
    _set,
    _cut,
    _double,
    _word,
    _word,
    _splice,
    _stretch,
    _sentence,
)


def in_pieces(data: bytes, random: Random) -> list[bytes]:
    """``data`` cut at up to eight random places, sometimes all within its first bytes."""
    within = random.choice((len(data), len(data), min(len(data), 64)))
    places = sorted({0, len(data), *(random.randrange(within + 1) for _ in range(random.randrange(1, 9)))})
    return [data[start:end] for start, end in pairwise(places)]


def in_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
