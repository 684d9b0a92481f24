"""Codes that change with time (RFC 6238): SHA-1, 30 seconds, one step of tolerance to either side.

A code is used up by one conditional UPDATE that moves ``last_step`` on to the step it belongs to: the same code by
twenty requests at once succeeds once (S-510).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time

from django.utils import timezone

from doorward.identity.authenticators.models import TOTPDevice
from doorward.identity.crypto import vault

STEP = 30
"""Seconds."""
TOLERANCE = 1
"""Steps."""
SEED_BYTES = 20


def new_seed() -> str:
    """160 random bits, in the base32 that apps take."""
    return base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode()


def config_url(seed: str, *, issuer: str, account: str, digits: int) -> str:
    """The ``otpauth://`` address that a QR code holds."""
    from pyotp import TOTP

    return TOTP(seed, digits=digits, interval=STEP).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(seed: str, code: str, digits: int, now: float | None = None) -> int | None:
    """The time step to which ``code`` belongs, unless it is too old or no code of this seed."""
    from pyotp import TOTP

    typed = "".join(code.split())
    if len(typed) != digits or not (typed.isascii() and typed.isdigit()):
        return None
    current = int((time.time() if now is None else now) // STEP)
    otp = TOTP(seed, digits=digits, interval=STEP)
    steps = range(current - TOLERANCE, current + TOLERANCE + 1)
    # All are compared, whichever matches: the time tells nothing (S-814).
    matching = [step for step in steps if hmac.compare_digest(otp.generate_otp(step), typed)]
    return max(matching, default=None)


def use(device: TOTPDevice, code: str, now: float | None = None) -> bool:
    """Whether ``code`` is right and was not used before; uses it up. Raises vault.Unreadable."""
    step = matching_step(vault.unseal(device.sealed_seed, place(device)), code, device.digits, now)
    if step is None:
        return False
    unused = TOTPDevice.objects.filter(pk=device.pk, last_step__lt=step)
    return unused.update(last_step=step, last_used=timezone.now()) == 1


def place(device: TOTPDevice) -> str:
    """Where the seed is kept: what it is sealed to."""
    return f"authenticators.totpdevice.sealed_seed:{device.uuid}"
