"""The mark under which configuration is remembered."""

from __future__ import annotations

from django.db import models


class Mark(models.Model):
    """Written by triggers alone. The mark is the sum of all rows.

    SQLite has one writer at a time, and one row. PostgreSQL has a row for each transaction that wrote configuration,
    so that none waits for another; ``chores`` removes old ones.
    """

    id = models.BigIntegerField(primary_key=True)
    """PostgreSQL: the transaction's number."""
    stamp = models.BigIntegerField()
    """Random: one that a rollback took back must not come again with other data."""

    def __str__(self) -> str:
        return f"{self.id} {self.stamp}"
