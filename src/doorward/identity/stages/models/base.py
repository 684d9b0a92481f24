"""What all stages are."""

from __future__ import annotations

import uuid

from django.db import models


class Stage(models.Model):
    """Base of all stages. ``kind`` names the child table, so that a stage can be read as what it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    kind = models.CharField(max_length=32, editable=False)

    KIND = ""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.KIND:
            self.kind = self.KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def concrete(self) -> Stage:
        """This stage as an object of its own kind."""
        if type(self) is not Stage:
            return self
        stage: Stage = getattr(self, f"{self.kind}stage")
        return stage
