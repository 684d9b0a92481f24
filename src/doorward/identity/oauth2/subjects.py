"""The ``sub`` of tokens. The default is a pseudonym that neither renaming nor deletion ever gives to somebody else
(S-449): it is a hash of the primary key, and keys are not reused."""

from __future__ import annotations

from doorward.identity.directory.models import User
from doorward.identity.oauth2.models import OAuth2Provider

_Mode = OAuth2Provider.SubMode


def subject_of(provider: OAuth2Provider, user: User) -> str:
    """Never empty: where the chosen value is missing, the pseudonym is said."""
    if provider.sub_mode == _Mode.USER_ID:
        return str(user.pk)
    if provider.sub_mode == _Mode.USER_UUID:
        return str(user.uuid)
    if provider.sub_mode == _Mode.USER_USERNAME:
        return user.username
    if provider.sub_mode == _Mode.USER_EMAIL:
        return user.email or user.uid
    if provider.sub_mode == _Mode.USER_UPN:
        upn = user.attributes.get("upn") if isinstance(user.attributes, dict) else None
        return upn if isinstance(upn, str) and upn else user.uid
    return user.uid
