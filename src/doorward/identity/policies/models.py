"""Who may: bindings of users and groups to whatever can be restricted."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.directory.models import Group, User


class PolicyTarget(models.Model):
    """Base of everything that access can be bound to: applications, flows, stage bindings.

    The primary key is what authentik calls ``pbm_uuid``; here an application's or a flow's own key is the same.
    """

    class EngineMode(models.TextChoices):
        ANY = "any"
        ALL = "all"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy_engine_mode = models.CharField(max_length=4, choices=EngineMode.choices, default=EngineMode.ANY)


class PolicyBinding(models.Model):
    """``contracts/identity.md`` section 5.1; exactly one of ``user`` and ``group`` is set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(PolicyTarget, on_delete=models.CASCADE, related_name="bindings")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="bindings")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="bindings")
    enabled = models.BooleanField(default=True)
    negate = models.BooleanField(default=False)
    order = models.IntegerField(default=0)
    timeout = models.PositiveIntegerField(default=30)
    failure_result = models.BooleanField(default=False)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(group__isnull=True, user__isnull=False)
                | models.Q(group__isnull=False, user__isnull=True),
                name="binding_names_one_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{'not ' if self.negate else ''}{self.group or self.user}"
