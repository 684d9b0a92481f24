"""When each chore is due, and who does it: the row that replicas agree on."""

from __future__ import annotations

from django.db import models


class Turn(models.Model):
    """One chore's place in time. A conditional UPDATE of it decides who does it."""

    name = models.CharField(max_length=64, primary_key=True)
    due = models.DateTimeField()
    busy_until = models.DateTimeField(null=True)
    """Somebody is doing it, and is taken for dead after that; null: nobody is."""
    begun = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True, default="")
    """What went wrong the last time; empty when nothing did."""

    def __str__(self) -> str:
        return self.name
