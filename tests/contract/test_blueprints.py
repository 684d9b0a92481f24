"""Blueprints by the official client: kept, applied, compared, imported; and flows as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

GROUP = (
    "version: 1\nmetadata: {{name: night watch}}\nentries:\n"
    "  - model: authentik_core.group\n    identifiers: {{name: night}}\n    attrs: {{attributes: {{floor: {}}}}}\n"
)


def test_a_blueprint_is_kept_applied_and_removed(api: Any, official: Any) -> None:
    """Its status says how it went, and what it made stays."""
    made = api.managed_blueprints_create(official.BlueprintInstanceRequest(name="night", content=GROUP.format(1)))
    assert (made.status.value, made.metadata["name"]) == ("unknown", "night watch")
    applied = api.managed_blueprints_apply_create(made.pk)
    assert (applied.status.value, len(applied.managed_models)) == ("successful", 1)
    assert api.core_groups_list(name="night").results[0].attributes == {"floor": 1}

    with pytest.raises(official.exceptions.BadRequestException, match="not valid YAML"):
        api.managed_blueprints_partial_update(
            made.pk,
            patched_blueprint_instance_request=official.PatchedBlueprintInstanceRequest(content=GROUP.format("[")),
        )
    put = api.managed_blueprints_update(
        made.pk, official.BlueprintInstanceRequest(name="night", content=GROUP.format(2), enabled=False)
    )
    assert not put.enabled
    assert api.managed_blueprints_list(name="night").pagination.count == 1
    assert api.managed_blueprints_retrieve(made.pk).name == "night"
    assert api.managed_blueprints_used_by_list(made.pk) == []
    assert api.managed_blueprints_destroy(made.pk) is None
    assert api.core_groups_list(name="night").pagination.count == 1


def test_files_of_the_folder_are_there_to_choose(api: Any, official: Any, tmp_path: Path, settings: Settings) -> None:
    """By their path, and nothing else is one (S-611)."""
    settings.BLUEPRINTS = (str(tmp_path),)
    (tmp_path / "night.yaml").write_text(GROUP.format(1))
    (found,) = api.managed_blueprints_available_list()
    assert (found.path, found.meta.name) == ("night.yaml", "night watch")
    made = api.managed_blueprints_create(official.BlueprintInstanceRequest(name="file", path="night.yaml"))
    assert api.managed_blueprints_apply_create(made.pk).last_applied_hash == found.hash
    for path in ("../night.yaml", "/etc/passwd", "https://example.test/x.yaml", "oci://example.test/x"):
        with pytest.raises(official.exceptions.BadRequestException, match="no such file"):
            api.managed_blueprints_create(official.BlueprintInstanceRequest(name="out", path=path))


def test_an_upload_is_applied_once(api: Any) -> None:
    """With its outcome, and the reasons when there is none."""
    good = api.managed_blueprints_import_create(file=("night.yaml", GROUP.format(3).encode()), context='{"a": 1}')
    assert good.success
    assert [line.event for line in good.logs] == ["authentik_core.group night: created"]
    bad = api.managed_blueprints_import_create(file=("bad.yaml", b"version: 1\nentries:\n  - model: a.b\n"))
    assert not bad.success
    assert "there is no model 'a.b'" in bad.logs[0].event


def test_a_flow_is_exported_as_a_blueprint(api: Any) -> None:
    """What the page offers to download, by the address that the flow names."""
    text = api.flows_instances_export_retrieve("default-password-change")
    assert b"authentik_flows.flowstagebinding" in bytes(text)
    assert api.managed_blueprints_import_create(file=("flow.yaml", bytes(text))).success
