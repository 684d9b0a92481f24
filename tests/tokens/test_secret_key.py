"""The file with the secret key: what may stand in it, and that it is written in one step."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from doorward.tokens.secret_key import (
    Kept,
    SecretKeys,
    SecretKeyUnusable,
    read_secret_key,
    read_secret_keys,
    write_secret_keys,
)

NEW, OLD = bytes(range(32)), bytes(range(32, 64))
KEPT = (Kept("installation-id", 0, OLD), Kept("events-chain", 1042, NEW))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret.key"


def test_a_new_key_has_256_random_bits(file: Path) -> None:
    """It is made once, and only its owner reads it."""  # S-801
    first = read_secret_keys(file)

    assert len(first.current) == 32
    assert (first.old, first.kept) == ((), ())
    assert read_secret_key(file) == first.current
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_written_is_read(file: Path) -> None:
    """New key, former key, and what outlasts it."""  # S-804
    read_secret_keys(file)
    keys = SecretKeys(NEW, (OLD,), KEPT)

    write_secret_keys(file, keys)

    assert read_secret_keys(file) == keys
    assert keys.all == (NEW, OLD)
    assert keys.kept_for("events-chain") == KEPT[1:]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["secret.key"]


def test_keys_are_not_shown() -> None:
    """Whatever prints the object."""  # S-818
    shown = repr(SecretKeys(NEW, (OLD,), KEPT))

    assert "installation-id" in shown
    assert "x01" not in shown
    assert NEW.hex() not in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds 0 bytes"),
        ("ab\n", "holds 1 bytes"),
        ("no hex\n", "not hexadecimal"),
        (f"{NEW.hex()}\n{OLD.hex()}\n", "the key stands in the first line"),
        (f"{NEW.hex()}\nold {OLD.hex()}\n", "doorward rotate-secret-key"),
        (f"old {OLD.hex()}\n", "holds 0 bytes"),
        (f"{NEW.hex()}\nUP {OLD.hex()}\n", "only what is named"),
    ],
)
def test_what_is_no_key_is_refused(file: Path, text: str, said: str) -> None:
    """In words; nothing is guessed."""  # S-801
    file.touch(0o600)
    file.write_text(text)

    with pytest.raises(SecretKeyUnusable, match=said):
        read_secret_keys(file)


def test_what_others_can_read_is_refused(file: Path) -> None:
    """It says how to change that."""  # S-801
    file.write_text(NEW.hex())
    file.chmod(0o640)

    with pytest.raises(SecretKeyUnusable, match="chmod 600"):
        read_secret_keys(file)
