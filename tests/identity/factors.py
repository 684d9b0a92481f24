"""Factors that people in these tests have: an app with a known seed, recovery codes, a key made of software."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from doorward.identity.authenticators import actions, ceremonies, options, recovery_codes, totp
from doorward.identity.authenticators.models import EmailDevice, StaticDevice, TOTPDevice, WebAuthnDevice
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from identity.authenticators.soft_key import SoftKey

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_app(user: User, seed: str = SEED) -> TOTPDevice:
    return actions.add_totp(Actor.system(), user, name="Phone", seed=seed, digits=6, used_step=0)


def give_codes(user: User, codes: tuple[str, ...] = ()) -> tuple[StaticDevice, tuple[str, ...]]:
    codes = codes or recovery_codes.generate()
    return actions.set_recovery_codes(Actor.system(), user, codes, name="Recovery codes"), codes


def give_mailbox(user: User, email: str = "") -> EmailDevice:
    return actions.add_email(Actor.system(), user, name="Mailbox", email=email or user.email)


def give_key(user: User, key: SoftKey) -> WebAuthnDevice:
    asked = options.to_create(
        "test", user, [], rp_name="Doorward", user_verification="preferred", resident_key="required"
    )
    registered = ceremonies.registered(key.create(as_json(asked)), "test", require_user_verification=False)
    return actions.add_webauthn(Actor.system(), user, name="Key", registered=registered)


def code_at(moment: float, seed: str = SEED, digits: int = 6) -> str:
    """What the app shows at ``moment``."""
    from pyotp import TOTP

    return TOTP(seed, digits=digits).generate_otp(int(moment // totp.STEP))


def as_json(asked: object) -> dict[str, Any]:
    """Options as a browser gets them."""
    made: dict[str, Any] = json.loads(msgspec.json.encode(asked))
    return made
