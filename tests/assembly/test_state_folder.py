"""The state folder: private, one program at a time, sockets where the kernel can take them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doorward.assembly import state_folder


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """What a state folder holds is nobody else's business."""
    state_folder.make(tmp_path / "new" / "state")

    assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """The message names the folder and the option that chooses another."""
    (tmp_path / "file").write_text("")

    with pytest.raises(state_folder.StateFolderUnusable, match=r"file/state.*--data"):
        state_folder.make(tmp_path / "file" / "state")


def test_two_programs_cannot_share_a_folder(tmp_path: Path) -> None:
    """The second one is told that the first is running."""
    first = state_folder.locked(tmp_path)

    with pytest.raises(state_folder.StateFolderUnusable, match="another Doorward is running"):
        state_folder.locked(tmp_path)
    os.close(first)


def test_sockets_move_to_a_private_place_when_the_path_is_too_long(tmp_path: Path) -> None:
    """S-816: a long path does not break the program, and the place is private and unpredictable."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()

    folder = state_folder.opened(deep)

    assert len(str(folder.rpc_socket)) < 100
    assert folder.run.stat().st_mode & 0o777 == 0o700
    folder.close()
    assert not folder.run.exists()
