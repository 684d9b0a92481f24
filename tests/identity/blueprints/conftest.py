"""Blueprints by their text, and a folder of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from doorward.identity.blueprints.report import Report

Apply = Callable[..., "Report"]


@pytest.fixture
def apply() -> Apply:
    """Applies a text, as the program does."""
    from doorward.identity.blueprints.applying import apply as applied
    from doorward.identity.blueprints.queries import library
    from doorward.identity.blueprints.reading import read
    from doorward.identity.events.actor import Actor

    def run(text: str, **options: Any) -> Report:
        return applied(read(dedent(text), "test.yaml"), Actor.system(), library=library, **options)

    return run


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """An empty folder of blueprints, and nothing else is one."""
    here = tmp_path / "blueprints"
    here.mkdir()
    settings.BLUEPRINTS = (str(here),)
    return here


def entries(*texts: str) -> str:
    """A whole blueprint out of entries."""
    return "version: 1\nentries:\n" + "".join(
        "  - " + dedent(text).strip().replace("\n", "\n    ") + "\n" for text in texts
    )
