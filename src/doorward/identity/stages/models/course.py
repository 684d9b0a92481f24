"""Stages that only steer: no further, another way, or nothing at all."""

from __future__ import annotations

from django.db import models

from doorward.identity.stages.models.base import Stage


class DenyStage(Stage):
    """Nobody comes past it; bindings say for whom it stands there."""

    KIND = "deny"
    deny_message = models.TextField(blank=True, default="")


class DummyStage(Stage):
    """A page with a button, to try out flows."""

    KIND = "dummy"
    throw_error = models.BooleanField(default=False)


class RedirectStage(Stage):
    """On to another address, or to another flow."""

    KIND = "redirect"

    class Mode(models.TextChoices):
        STATIC = "static"
        FLOW = "flow"

    mode = models.CharField(max_length=8, choices=Mode.choices)
    target_static = models.TextField(blank=True, default="")
    """A path of this host or an http(s) URL."""
    target_flow = models.ForeignKey("flows.Flow", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    keep_context = models.BooleanField(default=True)
    """Whether the other flow knows what this one has learned."""
