"""What an OAuth2 provider must be to be saved, and what an administrator should know about it."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.directory import names
from doorward.identity.oauth2 import client_keys, encryption, logout_uris, redirects
from doorward.identity.oauth2.models import DEFAULT_GRANTS, DEVICE_CODE, TOKEN_EXCHANGE, OAuth2Provider

GRANTS = (*DEFAULT_GRANTS, DEVICE_CODE, TOKEN_EXCHANGE, "implicit", "hybrid", "password")
"""What a client's ``grant_types`` may name; ``password`` is answered as ``client_credentials``."""
_DURATIONS = ("access_code_validity", "access_token_validity", "refresh_token_validity", "refresh_token_threshold")
_CLIENT_ID = re.compile(r"[!-~]{1,255}")


def validate(provider: OAuth2Provider) -> tuple[str, ...]:
    """Raise ValidationError, or return what the administrator should know."""
    names.require_plain(provider.name, "name")
    if not _CLIENT_ID.fullmatch(provider.client_id):
        raise ValidationError({"client_id": [_("1 to 255 visible ASCII characters.")]})
    for field in _DURATIONS:
        _require_duration(field, getattr(provider, field))
    if not isinstance(provider.grant_types, list) or not set(provider.grant_types) <= set(GRANTS):
        raise ValidationError({"grant_types": [_("Only these: %(names)s.") % {"names": ", ".join(GRANTS)}]})
    logout_uris.require_usable(provider)
    _require_client(provider)
    _require_keys(provider)
    try:
        warnings = tuple(
            warning for entry in redirects.read(provider.redirect_uris) for warning in redirects.check(entry)
        )
    except redirects.BadRedirectUri as error:
        raise ValidationError({"redirect_uris": [str(error)]}) from error
    provider.full_clean(exclude=["kind", "sealed_client_secret"])
    return warnings


def _require_duration(field: str, value: str) -> None:
    try:
        length = durations.parse(value)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
    if not length and field != "refresh_token_threshold":
        raise ValidationError({field: [_("Longer than nothing.")]})


def _require_client(provider: OAuth2Provider) -> None:
    if provider.client_type == OAuth2Provider.ClientType.PUBLIC:
        if not provider.require_pkce:
            # Nothing else would tie a code to the program that asked for it (RFC 9700 section 2.1.1).
            raise ValidationError({"require_pkce": [_("A public client must use PKCE.")]})
        if provider.client_authentication == OAuth2Provider.Authentication.PRIVATE_KEY_JWT:
            raise ValidationError({"client_authentication": [_("A public client has nothing to sign with.")]})
    client_keys.require_usable(provider)


def _require_keys(provider: OAuth2Provider) -> None:
    if provider.signing_key is not None and not provider.signing_key.sealed_key:
        raise ValidationError({"signing_key": [_("This certificate has no private key here.")]})
    if provider.encryption_key is not None and not encryption.can_encrypt(provider.encryption_key):
        raise ValidationError({"encryption_key": [_("Tokens are encrypted for RSA keys only.")]})
