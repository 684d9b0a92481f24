"""Stages that only steer: no further, another way, or nothing at all."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from doorward.identity.flows.next_url import safe_next
from doorward.identity.stages.models.base import Stage


def require_target(target: str) -> None:
    """Raises ValidationError for what is neither a path of this host nor an http(s) URL."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise ValidationError(_("This is no URL.")) from error
    if not safe_next(target) and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValidationError(_("Write a path that begins with one slash, or an http(s) URL."))


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
    target_static = models.TextField(blank=True, default="", validators=[require_target])
    """A path of this host or an http(s) URL."""
    target_flow = models.ForeignKey("flows.Flow", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    keep_context = models.BooleanField(default=True)
    """Whether the other flow knows what this one has learned."""

    def clean(self) -> None:
        name = "target_static" if self.mode == self.Mode.STATIC else "target_flow"
        if not getattr(self, name):
            raise ValidationError({name: [_("This mode needs a target.")]})
