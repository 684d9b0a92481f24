"""Who may: bindings of users, groups and policies to whatever can be restricted."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import models

from doorward.identity.directory.models import Group, User
from doorward.identity.expressions.errors import ExpressionInvalid
from doorward.identity.expressions.parsing import parse


def require_expression(text: str) -> None:
    """Raises ValidationError for what is no expression, with the line and what to write instead."""
    try:
        parse(text)
    except ExpressionInvalid as invalid:
        raise ValidationError(str(invalid)) from invalid


class PolicyTarget(models.Model):
    """Base of everything that access can be bound to: applications, flows, stage bindings.

    The primary key is what authentik calls ``pbm_uuid``; here an application's or a flow's own key is the same.
    """

    class EngineMode(models.TextChoices):
        ANY = "any"
        ALL = "all"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy_engine_mode = models.CharField(max_length=4, choices=EngineMode.choices, default=EngineMode.ANY)


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

    @property
    def subject(self) -> Policy | Group | User | None:
        """What it names; None only for a row that the database should have refused."""
        return self.policy or self.group or self.user


class PasswordPolicy(Policy):
    """What a password must be like (section 5.2). Judged by ``password_rules``."""

    KIND = "password"

    password_field = models.CharField(max_length=128, default="password")
    """Key of the prompt that it judges."""
    amount_digits = models.PositiveIntegerField(default=0)
    amount_uppercase = models.PositiveIntegerField(default=0)
    amount_lowercase = models.PositiveIntegerField(default=0)
    amount_symbols = models.PositiveIntegerField(default=0)
    length_min = models.PositiveIntegerField(default=0)
    symbol_charset = models.TextField(default=r"!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ ")
    error_message = models.TextField(blank=True, default="")
    check_static_rules = models.BooleanField(default=True)
    check_zxcvbn = models.BooleanField(default=False)
    zxcvbn_score_threshold = models.PositiveIntegerField(default=2)
    """A password passes with a higher score than this, of 0 to 4."""
    num_historical_passwords = models.PositiveIntegerField(default=0)
    """How many former passwords may not come back."""


class ExpressionPolicy(Policy):
    """Passes where its expression returns something true (section 5.3)."""

    KIND = "expression"

    expression = models.TextField(validators=[require_expression])


class PasswordExpiryPolicy(Policy):
    """Passes while the password is younger than ``days``."""

    KIND = "passwordexpiry"

    days = models.PositiveIntegerField()


class FormerPassword(models.Model):
    """A hash that a user's password had, for as long as a policy forbids to take it again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_passwords")
    encoded = models.CharField(max_length=255)
    replaced = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-replaced", "-id"]


class ReputationPolicy(Policy):
    """Passes for whoever has a *bad* reputation, so that a captcha or a refusal can be bound to it (section 5.2)."""

    KIND = "reputation"

    check_ip = models.BooleanField(default=True)
    check_username = models.BooleanField(default=True)
    threshold = models.IntegerField(default=-5)
    """It passes at this score and below."""

    def clean(self) -> None:
        if not self.check_ip and not self.check_username:
            raise ValidationError({"check_ip": ["Look at the address, the user name, or both."]})


class Reputation(models.Model):
    """What one address has earned with one name: failed logins lower it, successful ones raise it (``reputation``)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identifier = models.CharField(max_length=150)
    """User name, or what was typed where nobody has that name; folded. Empty where nobody was named."""
    ip = models.GenericIPAddressField()
    """The address; of IPv6, the first 64 bits."""
    score = models.IntegerField(default=0)
    updated = models.DateTimeField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["score", "-updated"]
        constraints = [models.UniqueConstraint(fields=["identifier", "ip"], name="one_reputation_per_name_and_address")]

    def __str__(self) -> str:
        return f"{self.identifier} at {self.ip}"
