"""Letters that wait are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.mail.models import Letter
from doorward.identity.mail.outbox import place

SEALED = (SealedColumn(Letter, "sealed_body", place),)
