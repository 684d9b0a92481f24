"""Keys of services that tell people from programs are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.stages.models import CaptchaStage

SEALED = (SealedColumn(CaptchaStage, "sealed_private_key", CaptchaStage.place),)
