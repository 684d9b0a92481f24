"""Policies about passwords, and the hashes of former ones."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from doorward.identity.directory.models import User
from doorward.identity.policies.models.base import Policy


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


class UniquePasswords(models.Manager["UniquePasswordPolicy"]):
    def get_queryset(self) -> models.QuerySet[UniquePasswordPolicy]:
        return super().get_queryset().filter(kind=UniquePasswordPolicy.KIND)


class UniquePasswordPolicy(PasswordPolicy):
    """Only that a password is none of the former ones; a password policy that says nothing else."""

    KIND = "uniquepassword"
    objects: ClassVar[UniquePasswords] = UniquePasswords()

    class Meta:
        proxy = True

    def save(self, *args: object, **kwargs: object) -> None:
        self.check_static_rules = self.check_zxcvbn = False
        super().save(*args, **kwargs)


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
