"""Letters that wait to be sent, and the links in them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from doorward.identity.directory.models import User


class Letter(models.Model):
    """One e-mail on its way. It goes when it was sent, or when it is of no use any more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.EmailField(blank=True)
    """Empty for a letter that is not sent: what an unknown user's recovery leaves, so that it takes as long (S-504)."""
    subject = models.CharField(max_length=255)
    sealed_body = models.TextField()
    """Text and HTML: links in it open accounts, so it is kept like a secret (S-803)."""
    created = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now, db_index=True)
    useless_after = models.DateTimeField()

    class Meta:
        ordering = ["next_try"]

    def __str__(self) -> str:
        return str(self.id)


class MailLink(models.Model):
    """What the link in a letter leads back to: a plan, bound to its user and flow. Used once; a new one kills the old
    (S-517). Only the hash of its token is kept."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mail_links")
    flow = models.SlugField()
    plan = models.TextField()
    activates = models.BooleanField(default=False)
    """Whether opening it makes an inactive user active (a new account's address was proved)."""
    email = models.EmailField(blank=True)
    """The user's address when it was made; another one makes it void."""
    by_hand = models.BooleanField(default=False)
    """Handed over by an administrator: opening it proves nothing about the address."""
    expires = models.DateTimeField()


class UnprovenAddress(models.Model):
    """An address that somebody gave for themselves and has not proved: nothing is recovered through it (S-518)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="unproven_address")
    email = models.EmailField()
