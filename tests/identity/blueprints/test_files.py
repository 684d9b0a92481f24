"""Files of the folder are in force: at start, after a change, and as they last were while they cannot be used."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doorward.identity.blueprints import queries
from doorward.identity.blueprints.actions import apply_changed
from doorward.identity.blueprints.folder import files, signature
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.directory.models import Group
from doorward.identity.events.models import Event

if TYPE_CHECKING:
    from identity.blueprints.conftest import Apply

GROUP = (
    "version: 1\nmetadata:\n  name: night watch\nentries:\n"
    "  - model: authentik_core.group\n    identifiers: {{name: night}}\n    attrs: {{attributes: {{floor: {}}}}}\n"
)


def test_a_new_file_is_applied_once(flows: None, folder: Path) -> None:
    """And not again until it changes."""
    (folder / "night.yaml").write_text(GROUP.format(1))

    assert apply_changed() == 1
    instance = BlueprintInstance.objects.get()
    assert (instance.name, instance.path, instance.status) == ("night watch", "night.yaml", "successful")
    assert instance.managed_models == [f"authentik_core.group:{Group.objects.get(name='night').pk}"]
    assert apply_changed() == 0
    (folder / "night.yaml").write_text(GROUP.format(2))
    assert apply_changed() == 1
    assert Group.objects.get(name="night").attributes == {"floor": 2}


def test_a_file_that_cannot_be_used_changes_nothing_and_is_told(
    flows: None, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The last good state stays; why is in the log, in one event and on the instance, until it is repaired."""
    (folder / "night.yaml").write_text(GROUP.format(1))
    apply_changed()
    (folder / "night.yaml").write_text(GROUP.format(2).replace("name: night}", "nam: night}"))
    with caplog.at_level(logging.ERROR, "doorward.blueprints"):
        apply_changed()
        apply_changed()

    assert Group.objects.get(name="night").attributes == {"floor": 1}
    instance = BlueprintInstance.objects.get()
    assert instance.status == "error"
    assert "night.yaml:6: entries[0].identifiers.nam" in instance.problems
    assert "night.yaml:6: entries[0].identifiers.nam" in caplog.text
    (event,) = Event.objects.filter(action="configuration_error")
    assert "night.yaml:6" in str(event.context["message"])
    (folder / "night.yaml").write_text(GROUP.format(2))
    apply_changed()
    assert BlueprintInstance.objects.get().problems == ""


def test_what_waits_for_something_else_is_tried_again(flows: None, folder: Path) -> None:
    """A file that needs what another one makes is applied when that is there, whatever their names."""
    (folder / "a.yaml").write_text(
        "version: 1\nentries:\n  - model: authentik_core.group\n    identifiers: {name: below}\n"
        "    attrs: {parents: [!Find [authentik_core.group, [name, night]]]}\n"
    )
    assert apply_changed() == 0
    (folder / "b.yaml").write_text(GROUP.format(1))
    apply_changed()
    assert apply_changed() == 1
    assert Group.objects.get(name="below").parents.get().name == "night"


def test_a_file_that_has_gone_leaves_what_it_made(flows: None, folder: Path) -> None:
    """It is orphaned, and comes back with its file."""
    (folder / "night.yaml").write_text(GROUP.format(1))
    apply_changed()
    (folder / "night.yaml").unlink()
    apply_changed()

    assert BlueprintInstance.objects.get().status == "orphaned"
    assert Group.objects.filter(name="night").exists()
    (folder / "night.yaml").write_text(GROUP.format(1))
    apply_changed()
    assert BlueprintInstance.objects.get().status == "successful"


def test_a_label_keeps_a_file_from_being_applied_by_itself(flows: None, folder: Path) -> None:
    """It waits in the folder until somebody asks for it, or another blueprint does."""
    waiting = GROUP.format(1).replace(
        "  name: night watch\n", '  name: night watch\n  labels: {blueprints.goauthentik.io/instantiate: "false"}\n'
    )
    (folder / "waiting.yaml").write_text(waiting)
    assert apply_changed() == 0
    assert not BlueprintInstance.objects.exists()
    (folder / "asks.yaml").write_text(
        "version: 1\nentries:\n  - model: authentik_blueprints.metaapplyblueprint\n"
        "    attrs: {identifiers: {name: night watch}}\n"
    )
    assert apply_changed() == 1
    assert Group.objects.filter(name="night").exists()


def test_blueprints_that_need_each_other_end(flows: None, folder: Path, apply: Apply) -> None:
    """A circle is an error, and one that is required and missing as well."""
    asks = (
        "version: 1\nmetadata: {{name: {}}}\nentries:\n  - model: authentik_blueprints.metaapplyblueprint\n"
        "    attrs: {{identifiers: {{name: {}}}, required: {}}}\n"
    )
    (folder / "a.yaml").write_text(asks.format("a", "b", "true"))
    (folder / "b.yaml").write_text(asks.format("b", "a", "true"))
    apply_changed()
    assert "in a circle" in BlueprintInstance.objects.get(name="a").problems
    (folder / "a.yaml").write_text(asks.format("a", "c", "true"))
    apply_changed()
    assert "there is no blueprint 'c'" in BlueprintInstance.objects.get(name="a").problems
    (folder / "a.yaml").write_text(asks.format("a", "c", "false"))
    apply_changed()
    assert BlueprintInstance.objects.get(name="a").status == "successful"


def test_what_somebody_changed_by_hand_is_drift(flows: None, folder: Path) -> None:
    """With what the file says and what the database says."""
    (folder / "night.yaml").write_text(GROUP.format(1))
    apply_changed()
    instance = BlueprintInstance.objects.get()
    assert not queries.drift(instance).differs
    Group.objects.filter(name="night").update(attributes={"floor": 9})
    ((changed,), events) = queries.drift(instance).writes, Event.objects.count()

    assert [(each.field, each.database, each.blueprint) for each in changed.differences] == [
        ("attributes", {"floor": 9}, {"floor": 1})
    ]
    assert Event.objects.count() == events


def test_links_do_not_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    """Nor do names; hidden folders are how volumes keep their former versions (S-611)."""
    (tmp_path / "secret.yaml").write_text("version: 1\nentries: []\n")
    (folder / "out.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "..data").mkdir()
    (folder / "..data" / "in.yaml").write_text("version: 1\nentries: []\n")
    (folder / "in.yaml").symlink_to(folder / "..data" / "in.yaml")
    (folder / "notes.txt").write_text("x")

    assert [file.path for file in files()] == ["in.yaml"]


def test_a_change_of_a_file_is_seen(folder: Path) -> None:
    """By a new size, time or file under its name."""
    seen = [signature()]
    (folder / "a.yaml").write_text("version: 1\n")
    seen.append(signature())
    (folder / "b").write_text("version: 1\nentries: []\n")
    (folder / "b").rename(folder / "a.yaml")
    seen.append(signature())
    (folder / "a.yaml").unlink()
    seen.append(signature())

    assert len(set(seen)) == 3
    assert seen[0] == seen[3]
