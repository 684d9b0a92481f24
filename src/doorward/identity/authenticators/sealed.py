"""Seeds of authenticator apps are sealed."""

from __future__ import annotations

from doorward.identity.authenticators.models import TOTPDevice
from doorward.identity.authenticators.totp import place
from doorward.identity.crypto.sealed_columns import SealedColumn

SEALED = (SealedColumn(TOTPDevice, "sealed_seed", place),)
