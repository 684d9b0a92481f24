"""Client secrets are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.oauth2.models import OAuth2Provider

SEALED = (SealedColumn(OAuth2Provider, "sealed_client_secret", OAuth2Provider.place_of_client_secret),)
