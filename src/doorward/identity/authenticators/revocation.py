"""Remembered browsers end with the trust in their user: a new password, a lost factor, deactivation (S-520, S-533)."""

from __future__ import annotations

from doorward.identity.authenticators.models import RememberedDevice
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import trust_ended


def forget_browsers(sender: type, *, user: User, **_: object) -> None:
    """All of them, also the one in use: it is asked once more."""
    RememberedDevice.objects.filter(user=user).delete()


def listen() -> None:
    """Connect to the directory; called once, when Django has started."""
    trust_ended.connect(forget_browsers, dispatch_uid="authenticators.revocation")
