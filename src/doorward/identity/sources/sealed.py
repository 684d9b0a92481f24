"""The secrets with which this program logs in at others are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.sources.models import OAuthSource

SEALED = (SealedColumn(OAuthSource, "sealed_consumer_secret", OAuthSource.place),)
