"""What a believed answer says is sealed while it waits."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.sources.saml.models import Handed

SEALED = (SealedColumn(Handed, "sealed_answer", Handed.place),)
