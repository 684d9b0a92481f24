"""What the browser is asked to do, as ``parseCreationOptionsFromJSON`` and ``parseRequestOptionsFromJSON`` take it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType

from doorward.identity.authenticators import challenges, relying_party
from doorward.identity.authenticators.models import WebAuthnDevice
from doorward.identity.directory.models import User

TIMEOUT = challenges.VALID * 1000
"""Milliseconds."""
ALGORITHMS = (-8, -7, -257)
"""COSE: EdDSA, ES256, RS256."""


class Descriptor(Struct, frozen=True, kw_only=True):
    id: str
    type: str = "public-key"
    transports: list[str] | UnsetType = UNSET


class RequestOptions(Struct, frozen=True, kw_only=True, rename="camel"):
    """For ``navigator.credentials.get``."""

    challenge: str
    timeout: int = TIMEOUT
    rp_id: str
    allow_credentials: list[Descriptor]
    user_verification: str
    hints: list[str] = []


class RelyingParty(Struct, frozen=True):
    id: str
    name: str


class Account(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    display_name: str


class Parameters(Struct, frozen=True, kw_only=True):
    alg: int
    type: str = "public-key"


class Selection(Struct, frozen=True, kw_only=True, rename="camel"):
    authenticator_attachment: str | UnsetType = UNSET
    resident_key: str
    require_resident_key: bool
    user_verification: str


class CreationOptions(Struct, frozen=True, kw_only=True, rename="camel"):
    """For ``navigator.credentials.create``."""

    rp: RelyingParty
    user: Account
    challenge: str
    pub_key_cred_params: list[Parameters]
    timeout: int = TIMEOUT
    exclude_credentials: list[Descriptor]
    authenticator_selection: Selection
    hints: list[str] = []
    attestation: str = "none"


def to_get(
    bound_to: str, devices: Iterable[WebAuthnDevice], *, user_verification: str, hints: Iterable[str] = ()
) -> RequestOptions:
    """Ask for one of ``devices``; for any passkey of ours when there is none, so that nothing tells who has which."""
    return RequestOptions(
        challenge=challenges.issue(bound_to),
        rp_id=relying_party.rp_id(),
        allow_credentials=[_descriptor(device) for device in devices],
        user_verification=user_verification,
        hints=list(hints),
    )


def to_create(
    bound_to: str,
    user: User,
    existing: Iterable[WebAuthnDevice],
    *,
    rp_name: str,
    user_verification: str,
    resident_key: str,
    attachment: str = "",
    hints: Iterable[str] = (),
) -> CreationOptions:
    """Ask for a new credential, on an authenticator that has none of ``existing``."""
    return CreationOptions(
        rp=RelyingParty(relying_party.rp_id(), rp_name),
        user=Account(user_handle(user), user.username, user.name or user.username),
        challenge=challenges.issue(bound_to),
        pub_key_cred_params=[Parameters(alg=algorithm) for algorithm in ALGORITHMS],
        exclude_credentials=[_descriptor(device) for device in existing],
        authenticator_selection=Selection(
            authenticator_attachment=attachment or UNSET,
            resident_key=resident_key,
            require_resident_key=resident_key == "required",
            user_verification=user_verification,
        ),
        hints=list(hints),
    )


def user_handle(user: User) -> str:
    """What a passkey calls its owner: nothing that says anything about a person."""
    return challenges.encode(user.uuid.bytes)


def _descriptor(device: WebAuthnDevice) -> Descriptor:
    return Descriptor(id=device.credential_id, transports=list(device.transports) or UNSET)
