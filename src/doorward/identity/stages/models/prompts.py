"""Stages that ask for anything else, write what was answered to a user, or delete one."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.directory.models import Group, User
from doorward.identity.policies.models import PasswordPolicy
from doorward.identity.stages.models.base import Stage


class Prompt(models.Model):
    """One field. What it is called in the plan is ``field_key``; that key says where a write stage puts it."""

    class Type(models.TextChoices):
        TEXT = "text"
        TEXT_AREA = "text_area"
        TEXT_READ_ONLY = "text_read_only"
        TEXT_AREA_READ_ONLY = "text_area_read_only"
        USERNAME = "username"
        EMAIL = "email"
        PASSWORD = "password"  # noqa: S105 - the name of a type
        NUMBER = "number"
        CHECKBOX = "checkbox"
        RADIO = "radio-button-group"
        DROPDOWN = "dropdown"
        DATE = "date"
        DATE_TIME = "date-time"
        SEPARATOR = "separator"
        HIDDEN = "hidden"
        STATIC = "static"
        ALERT_INFO = "alert_info"
        ALERT_WARNING = "alert_warning"
        ALERT_DANGER = "alert_danger"
        LOCALE = "ak-locale"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    field_key = models.CharField(max_length=128)
    label = models.TextField()
    type = models.CharField(max_length=32, choices=Type.choices)
    required = models.BooleanField(default=True)
    placeholder = models.TextField(blank=True, default="")
    """A hint; for choices, one in each line."""
    initial_value = models.TextField(blank=True, default="")
    order = models.IntegerField(default=0)
    sub_text = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["order", "field_key"]

    def __str__(self) -> str:
        return self.name


class PromptStage(Stage):
    KIND = "prompt"
    fields = models.ManyToManyField(Prompt, related_name="prompt_stages", blank=True)
    validation_policies = models.ManyToManyField(PasswordPolicy, related_name="prompt_stages", blank=True)


class UserWriteStage(Stage):
    """Writes what prompts have collected to the user of the plan, or to a new one."""

    KIND = "userwrite"

    class CreationMode(models.TextChoices):
        NEVER_CREATE = "never_create"
        CREATE_WHEN_REQUIRED = "create_when_required"
        ALWAYS_CREATE = "always_create"

    user_creation_mode = models.CharField(
        max_length=32, choices=CreationMode.choices, default=CreationMode.CREATE_WHEN_REQUIRED
    )
    create_users_as_inactive = models.BooleanField(default=False)
    create_users_group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    user_type = models.CharField(max_length=32, choices=User.Type.choices, default=User.Type.EXTERNAL)
    user_path_template = models.TextField(blank=True, default="")


class UserDeleteStage(Stage):
    """Deletes the account of whoever is logged in, after asking."""

    KIND = "userdelete"
