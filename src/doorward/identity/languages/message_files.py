"""Message files in gettext's two forms, without gettext's programs.

People edit the text form (``django.po``); Python's ``gettext`` reads the binary one (``django.mo``). The wheel carries
the binary ones, which its build makes here. In a source tree they are made when the text has changed since, as Python
does with its own bytecode; so this module is plain Python and imports nothing of Django.
"""

from __future__ import annotations

import ast
import contextlib
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0x950412DE
CONTEXT = "\x04"
"""Stands between a context and its message in the binary form."""
NAME = "LC_MESSAGES/django"


@dataclass(frozen=True, slots=True)
class Message:
    """One entry. ``translations`` has one text, or one for each plural form of the language."""

    source: str
    translations: tuple[str, ...]
    plural: str = ""
    context: str | None = None
    places: tuple[str, ...] = ()
    """Files that use it, for whoever translates."""
    fuzzy: bool = False

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.source


def read(text: str) -> list[Message]:
    """The entries of a text form, its header (the entry of the empty message) first. Raises ValueError."""
    return [message for block in text.split("\n\n") if (message := _entry(block.splitlines())) is not None]


def _entry(lines: Iterable[str]) -> Message | None:
    texts: dict[str, str] = {}
    places: list[str] = []
    flags, name = "", ""
    for line in lines:
        if line.startswith("#:"):
            places += line[2:].split()
        elif line.startswith("#,"):
            flags += line
        elif line.startswith('"'):
            texts[name] += _unquoted(line)
        elif line and not line.startswith("#"):
            name, _, quoted = line.partition(" ")
            texts[name] = _unquoted(quoted)
    if "msgid" not in texts:
        return None
    forms = [texts[name] for name in sorted(texts) if name.startswith("msgstr")]
    return Message(
        texts["msgid"],
        tuple(forms),
        texts.get("msgid_plural", ""),
        texts.get("msgctxt"),
        tuple(places),
        "fuzzy" in flags,
    )


def _unquoted(quoted: str) -> str:
    text = ast.literal_eval(quoted)
    if not isinstance(text, str):
        raise ValueError(quoted)
    return text


def write(messages: Iterable[Message]) -> str:
    """The text form of these entries."""
    return "\n\n".join("\n".join(_written(message)) for message in messages) + "\n"


def _written(message: Message) -> Iterable[str]:
    if message.places:
        yield f"#: {' '.join(message.places)}"
    if message.fuzzy:
        yield "#, fuzzy"
    if message.context is not None:
        yield f"msgctxt {_quoted(message.context)}"
    yield f"msgid {_quoted(message.source)}"
    if message.plural:
        yield f"msgid_plural {_quoted(message.plural)}"
        for number, text in enumerate(message.translations):
            yield f"msgstr[{number}] {_quoted(text)}"
    else:
        yield f"msgstr {_quoted(message.translations[0])}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    if "\n" not in escaped:
        return f'"{escaped}"'
    return '""\n' + "\n".join(f'"{line}"' for line in escaped.replace("\n", "\\n\n").split("\n") if line)


def compiled(messages: Iterable[Message]) -> bytes:
    """The binary form (GNU gettext manual, section 10.3), without what is not translated or only guessed."""
    pairs = sorted(
        (_binary_key(message), "\0".join(message.translations).encode())
        for message in messages
        if all(message.translations) and not message.fuzzy
    )
    first_key = 7 * 4 + 16 * len(pairs)
    keys, texts = b"".join(key + b"\0" for key, _ in pairs), b"".join(text + b"\0" for _, text in pairs)
    key_at, text_at = first_key, first_key + len(keys)
    key_table, text_table = b"", b""
    for key, text in pairs:
        key_table += struct.pack("<2I", len(key), key_at)
        text_table += struct.pack("<2I", len(text), text_at)
        key_at, text_at = key_at + len(key) + 1, text_at + len(text) + 1
    header = struct.pack("<7I", MAGIC, 0, len(pairs), 7 * 4, 7 * 4 + 8 * len(pairs), 0, first_key)
    return header + key_table + text_table + keys + texts


def _binary_key(message: Message) -> bytes:
    key = message.source if message.context is None else message.context + CONTEXT + message.source
    return (f"{key}\0{message.plural}" if message.plural else key).encode()


def compile_stale(locale: Path) -> list[Path]:
    """Make the binary forms below ``locale`` that are missing, or older than their text. Says which.

    Where nothing may be written the old ones stay.
    """
    made: list[Path] = []
    for text in sorted(locale.glob(f"*/{NAME}.po")):
        binary = text.with_suffix(".mo")
        with contextlib.suppress(FileNotFoundError):
            if binary.stat().st_mtime_ns >= text.stat().st_mtime_ns:
                continue
        with contextlib.suppress(PermissionError):
            _put(binary, compiled(read(text.read_text(encoding="utf-8"))))
            made.append(binary)
    return made


def _put(path: Path, content: bytes) -> None:
    """In one step: others may be reading."""
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(path)
