"""Verifies what a browser's authenticator answered (WebAuthn Level 2, 7.1 and 7.2; S-515, S-516).

The library checks signature, origin, RP ID, flags and counter. Checked here is what it leaves to its user: whose
challenge it is and that it was not used before, that no other site frames us (``crossOrigin``), that the credential is
known and belongs to whom it says, and that of two answers with the same counter only one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from django.utils import timezone
from msgspec import Struct

from doorward.identity.authenticators import challenges, options, relying_party
from doorward.identity.authenticators.models import WebAuthnDevice
from doorward.identity.authenticators.registration import Registered
from doorward.identity.directory.models import User

if TYPE_CHECKING:
    from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
    from webauthn.registration.verify_registration_response import VerifiedRegistration

LONGEST = 64 * 1024
"""Characters of an answer."""
_TRANSPORTS = {"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"}


class NotVerified(Exception):
    """The answer does not do; the text says why, for events and never for the visitor."""


@dataclass(frozen=True, slots=True)
class Asserted:
    device: WebAuthnDevice
    user_verified: bool


class _Response(Struct):
    clientDataJSON: str  # noqa: N815 - its name on the wire
    userHandle: str | None = None  # noqa: N815
    transports: list[str] = []


class _Credential(Struct):
    id: str
    response: _Response


class _ClientData(Struct):
    challenge: str
    crossOrigin: bool = False  # noqa: N815
    topOrigin: str | None = None  # noqa: N815


def registered(answer: str, bound_to: str, *, require_user_verification: bool) -> Registered:
    """The credential that ``answer`` (JSON of ``create``) brings. Raises NotVerified."""
    credential, challenge = _read(answer, bound_to)
    verified = _verify_registration(answer, challenge, require_user_verification)
    if not challenges.spend(challenge):
        raise NotVerified("the challenge was answered before")
    return Registered(
        credential_id=challenges.encode(verified.credential_id),
        public_key=challenges.encode(verified.credential_public_key),
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=tuple(sorted(_TRANSPORTS.intersection(credential.response.transports))),
        backed_up=verified.credential_backed_up,
        user_verified=verified.user_verified,
    )


def asserted(answer: str, bound_to: str, *, user: User | None, require_user_verification: bool) -> Asserted:
    """The device that ``answer`` (JSON of ``get``) proves to be there; one of ``user``'s if one is known.

    Raises NotVerified.
    """
    credential, challenge = _read(answer, bound_to)
    device = WebAuthnDevice.objects.select_related("user").filter(credential_id=credential.id).first()
    if device is None:
        raise NotVerified("nobody has this credential")
    if user is not None and device.user_id != user.pk:
        raise NotVerified("the credential is another user's")
    handle = credential.response.userHandle
    # Without a known user the handle says who it is, and must say the same as the credential (7.2 step 6).
    if handle != options.user_handle(device.user) and (handle or user is None):
        raise NotVerified("the user handle is not that of the credential's user")
    verified = _verify_assertion(answer, challenge, device, require_user_verification)
    if not challenges.spend(challenge):
        raise NotVerified("the challenge was answered before")
    _count(device, verified)
    return Asserted(device, verified.user_verified)


def _read(answer: str, bound_to: str) -> tuple[_Credential, bytes]:
    """What we check ourselves. Raises NotVerified."""
    if not 0 < len(answer) <= LONGEST:
        raise NotVerified("no answer, or too long a one")
    try:
        credential = msgspec.json.decode(answer, type=_Credential)
        client_data = msgspec.json.decode(challenges.decode(credential.response.clientDataJSON), type=_ClientData)
        challenge = challenges.decode(client_data.challenge)
    except ValueError as error:  # msgspec's errors are, too
        raise NotVerified("the answer is not what a browser sends") from error
    if not challenges.is_ours(challenge, bound_to):
        raise NotVerified("the challenge is too old, or of another page, session or user")
    if client_data.crossOrigin or client_data.topOrigin is not None:
        raise NotVerified("it was made inside another site's frame")
    return credential, challenge


def _verify_registration(answer: str, challenge: bytes, require_user_verification: bool) -> VerifiedRegistration:
    from webauthn import verify_registration_response

    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=relying_party.rp_id(),
            expected_origin=relying_party.origin(),
            require_user_verification=require_user_verification,
        )
    except Exception as error:
        raise NotVerified(f"{type(error).__name__}: {error}"[:300]) from error


def _verify_assertion(
    answer: str, challenge: bytes, device: WebAuthnDevice, require_user_verification: bool
) -> VerifiedAuthentication:
    from webauthn import verify_authentication_response

    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=relying_party.rp_id(),
            expected_origin=relying_party.origin(),
            credential_public_key=challenges.decode(device.public_key),
            credential_current_sign_count=device.sign_count,
            require_user_verification=require_user_verification,
        )
    except Exception as error:
        raise NotVerified(f"{type(error).__name__}: {error}"[:300]) from error


def _count(device: WebAuthnDevice, verified: VerifiedAuthentication) -> None:
    """Keep the new counter, unless somebody else's answer has moved it meanwhile. Raises NotVerified."""
    changes: dict[str, object] = {"last_used": timezone.now(), "backed_up": verified.credential_backed_up}
    unmoved = WebAuthnDevice.objects.filter(pk=device.pk, sign_count=device.sign_count)
    if not unmoved.update(sign_count=verified.new_sign_count, **changes):
        raise NotVerified("the counter has moved meanwhile: the key may have been copied")
