"""Who may: bindings of users, groups and policies to whatever can be restricted."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

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

    IS_A_DOOR = True
    """Open to everybody without bindings, and policies may judge there. Otherwise its bindings are a list of people:
    nobody is on an empty one."""

    def is_a_door(self) -> bool:
        """The same of an object that is not known to be of its own kind."""
        kinds = PolicyTarget.__subclasses__() if type(self) is PolicyTarget else [type(self)]
        lists = [kind for kind in kinds if not kind.IS_A_DOOR]
        return not any(kind._default_manager.filter(pk=self.pk).exists() for kind in lists)


class Policy(models.Model):
    """Base of the policies that are objects of their own. ``kind`` names the child table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    kind = models.CharField(max_length=32, editable=False)
    execution_logging = models.BooleanField(default=False)

    KIND = ""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.KIND:
            self.kind = self.KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def concrete(self) -> Policy:
        """This policy as an object of its own kind."""
        if type(self) is not Policy:
            return self
        if self.kind == "uniquepassword":  # a proxy: it has no table, so no relation leads there
            found: Policy = apps.get_model("policies", "UniquePasswordPolicy")._default_manager.get(pk=self.pk)
            return found
        own: Policy = getattr(self, f"{self.kind}policy")
        return own


class PolicyBinding(models.Model):
    """``contracts/identity.md`` section 5.1; exactly one of ``policy``, ``group`` and ``user`` is set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(PolicyTarget, on_delete=models.CASCADE, related_name="bindings")
    policy = models.ForeignKey(Policy, null=True, blank=True, on_delete=models.CASCADE, related_name="bindings")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="bindings")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="bindings")
    enabled = models.BooleanField(default=True)
    negate = models.BooleanField(default=False)
    order = models.IntegerField(default=0)
    timeout = models.PositiveIntegerField(default=30)
    """Kept for clients; policies are bounded by their own budget."""
    failure_result = models.BooleanField(default=False)
    """What the binding says when its policy cannot be judged."""
    expires = models.DateTimeField(null=True, blank=True, db_index=True)
    expiring = models.BooleanField(default=False, db_default=False)
    """It ends by itself at ``expires``. What has ended lets nobody in, and keeps its target from being open."""

    is_grant = models.BooleanField(default=False, db_default=False)
    """Access that somebody was given on request: beside the other bindings, in the place of those of users and groups
    (``queries.judge``)."""

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(policy__isnull=False, group__isnull=True, user__isnull=True)
                | models.Q(policy__isnull=True, group__isnull=False, user__isnull=True)
                | models.Q(policy__isnull=True, group__isnull=True, user__isnull=False),
                name="binding_names_one_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{'not ' if self.negate else ''}{self.subject}"

    def clean(self) -> None:
        if self.expiring and self.expires is None:
            raise ValidationError({"expires": [_("Say when it ends.")]})
        if self.is_grant and (self.user is None or self.negate or not self.expiring):
            raise ValidationError({"user": [_("Access on request is for one user, and ends.")]})

    def has_ended(self, now: datetime) -> bool:
        """Whether it has ended by itself; without a date it cannot have been meant to last (fail closed)."""
        return self.expiring and (self.expires is None or self.expires <= now)

    @property
    def subject(self) -> Policy | Group | User | None:
        """What it names; None only for a row that the database should have refused."""
        return self.policy or self.group or self.user
