"""Bind passwords are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.sources.ldap.models import LDAPSource

SEALED = (SealedColumn(LDAPSource, "sealed_bind_password", LDAPSource.place),)
