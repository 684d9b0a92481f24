"""The setting that says how letters leave, as an operator writes it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from doorward.cli.bootstrap import identity_plan
from doorward.config.problems import ConfigurationError
from doorward.config.static import load_static


def written(folder: Path, mail: str) -> Path:
    file = folder / "doorward.yml"
    file.write_text(f"identity:\n  externalUrl: https://auth.example.test\n  mail: {mail}\n")
    return file


def test_it_stands_in_the_configuration(tmp_path: Path) -> None:
    """Beside the other facts about the identity provider."""
    identity = load_static(written(tmp_path, "smtps://me:pw@mail.example.test?from=a@b.test")).identity

    assert identity is not None
    assert identity.mail == "smtps://me:pw@mail.example.test?from=a@b.test"


def test_a_wrong_one_is_named_without_its_password(tmp_path: Path) -> None:
    """File, line and what to write instead; the value may hold a password."""  # S-818
    file = written(tmp_path, "smtps://me:very-secret@mail.example.test")

    with pytest.raises(ConfigurationError) as caught:
        load_static(file)

    assert f"{file}:3" in str(caught.value)
    assert "?from=login@example.com" in str(caught.value)
    assert "very-secret" not in str(caught.value)


def test_the_environment_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a password need not stand in a file."""
    monkeypatch.setenv("DOORWARD_MAIL", "file:///spool?from=a@b.test")
    assert identity_plan("https://a.test", 9000, mail="file:///other?from=a@b.test").mail.startswith("file:///spool")

    monkeypatch.setenv("DOORWARD_MAIL", "http://nothing")
    with pytest.raises(click.ClickException, match="DOORWARD_MAIL"):
        identity_plan("https://a.test", 9000)
