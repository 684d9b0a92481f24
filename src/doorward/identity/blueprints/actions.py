"""Writes about blueprints: taking files in, applying them, and keeping how that went.

A blueprint that cannot be used changes nothing: what its last good application made stays, and why is told in the log,
in an event and on the page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from doorward.identity.blueprints import folder, queries
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.folder import File, hash_of
from doorward.identity.blueprints.models import BlueprintInstance
from doorward.identity.blueprints.reading import read
from doorward.identity.blueprints.report import Report
from doorward.identity.directory import names
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

_APP = "authentik.blueprints"
_log = logging.getLogger("doorward.blueprints")
Status = BlueprintInstance.Status


def create_instance(actor: Actor, **fields: Any) -> BlueprintInstance:
    """Not applied yet. Raises ValidationError."""
    instance = BlueprintInstance(**fields)
    with transaction.atomic():
        _validate(instance)
        instance.save(force_insert=True)
        events.created(actor, instance)
    return instance


def update_instance(actor: Actor, instance: BlueprintInstance, **changes: Any) -> BlueprintInstance:
    """Raises ValidationError."""
    with transaction.atomic():
        before = events.snapshot(instance)
        for field, value in changes.items():
            setattr(instance, field, value)
        _validate(instance)
        instance.save()
        events.updated(actor, instance, before)
    return instance


def delete_instance(actor: Actor, instance: BlueprintInstance) -> None:
    """What it made stays."""
    with transaction.atomic():
        events.deleted(actor, instance)
        instance.delete()


def _validate(instance: BlueprintInstance) -> None:
    names.require_plain(instance.name, "name")
    if bool(instance.path) == bool(instance.content):
        raise ValidationError({"path": ["Either the path of a file in the folder, or content."]})
    if not isinstance(instance.context, dict):
        raise ValidationError({"context": ["The context is a JSON object."]})
    names.require_storable(instance.context, "context")
    if instance.path and folder.file_at(instance.path) is None:
        raise ValidationError({"path": ["There is no such file in the folder of blueprints."]})
    if instance.content:
        names.require_storable(instance.content, "content")
        try:
            blueprint = read(instance.content, instance.name)
        except Unusable as error:
            raise ValidationError({"content": [str(problem) for problem in error.problems]}) from error
        instance.metadata = {"name": blueprint.name, "labels": dict(blueprint.labels)}
    instance.full_clean(exclude=["metadata", "context"])


def apply_text(actor: Actor, text: str, file: str, context: Mapping[str, Any] | None = None) -> Report:
    """Apply once, and keep nothing of the blueprint itself. Raises Unusable."""
    from doorward.identity.blueprints.applying import apply  # the API, which a start without a change never needs

    return apply(read(text, file), actor, context=context, library=queries.library)


def apply_instance(actor: Actor, instance: BlueprintInstance) -> Report:
    """Apply, and keep how it went. Raises Unusable, after keeping that."""
    text = ""
    try:
        text = queries.text_of(instance)
        report = apply_text(actor, text, instance.path or instance.name, instance.context)
    except Unusable as error:
        _failed(instance, text, error)
        raise
    for warning in report.warnings:
        _log.warning("blueprint %s", warning)
    instance.status = Status.WARNING if report.warnings else Status.SUCCESSFUL
    instance.problems = "\n".join(str(warning) for warning in report.warnings)
    instance.managed_models = report.keys
    _keep(instance, text)
    if report.writes:
        _log.info("blueprint %s applied: %s", instance.path or instance.name, report.counted)
    return report


def _failed(instance: BlueprintInstance, text: str, error: Unusable) -> None:
    told = instance.problems
    gone = bool(instance.path) and not text and folder.file_at(instance.path) is None
    instance.status = Status.ORPHANED if gone else Status.ERROR
    instance.problems = str(error)
    with transaction.atomic():
        if told != instance.problems:
            message = f"The blueprint “{instance}” is not applied: {error.problems[0]}"
            events.record("configuration_error", _APP, Actor.system(), message=message, blueprint=instance)
        _keep(instance, text)
    for problem in error.problems:
        _log.error("blueprint not applied: %s", problem)


def _keep(instance: BlueprintInstance, text: str) -> None:
    instance.last_applied = timezone.now()
    if text:
        instance.last_applied_hash = hash_of(text)
        _note_metadata(instance, text)
    instance.save()


def _note_metadata(instance: BlueprintInstance, text: str) -> None:
    try:
        blueprint = read(text, instance.path)
    except Unusable:
        return
    instance.metadata = {"name": blueprint.name, "labels": dict(blueprint.labels)}


def apply_changed() -> int:
    """Take in what is new in the folders, and apply what has changed since it was tried last; how many were applied.

    What failed is tried again: it may have waited for something else.
    """
    known = {instance.path: instance for instance in BlueprintInstance.objects.exclude(path="")}
    files = folder.files()
    for file in files:
        if file.path not in known and (fresh := _taken_in(file)) is not None:
            known[file.path] = fresh
    there = {file.path: file for file in files}
    applied = 0
    for path, instance in sorted(known.items()):
        if instance.enabled and _is_due(instance, there.get(path)):
            try:
                apply_instance(Actor.system(), instance)
                applied += 1
            except Unusable:
                continue
    return applied


def _is_due(instance: BlueprintInstance, file: File | None) -> bool:
    if file is None:
        return instance.status != Status.ORPHANED
    if instance.status in (Status.ERROR, Status.UNKNOWN, Status.ORPHANED):
        return True
    try:
        return hash_of(file.text()) != instance.last_applied_hash
    except Unusable:
        return True


def _taken_in(file: File) -> BlueprintInstance | None:
    """A new file, as an instance of its own; None for one that waits to be asked for."""
    name, metadata = "", {}
    try:
        blueprint = read(file.text(), file.path)
    except Unusable:
        pass  # an instance even so: that is where what is wrong with it is shown
    else:
        if not blueprint.applies_itself:
            return None
        name, metadata = blueprint.name, {"name": blueprint.name, "labels": dict(blueprint.labels)}
    name = name or file.path
    if BlueprintInstance.objects.filter(name=name).exists():
        name = f"{name} ({file.path})"
    with transaction.atomic():
        instance = BlueprintInstance(name=name, path=file.path, metadata=metadata)
        instance.save(force_insert=True)
        events.created(Actor.system(), instance)
    return instance
