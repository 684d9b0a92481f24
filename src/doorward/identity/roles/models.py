"""Roles, and what they permit."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.directory.models import Group, User


class Role(models.Model):
    """A named set of permissions. Held by users, and by all members of groups (inherited like membership)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    users = models.ManyToManyField(User, related_name="roles", blank=True)
    groups = models.ManyToManyField(Group, related_name="roles", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """One permission of a role: for one object, or for all of its kind where ``object_pk`` is empty."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants")
    permission = models.CharField(max_length=150)
    """As ``catalogue`` names it, e.g. ``authentik_core.view_user``."""
    object_pk = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ["permission", "object_pk"]
        constraints = [models.UniqueConstraint(fields=["role", "permission", "object_pk"], name="granted_once")]

    def __str__(self) -> str:
        return f"{self.permission} {self.object_pk}".rstrip()
