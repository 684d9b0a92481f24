"""Cookie secrets and proxy sessions are sealed."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.identity.rpc.sessions import place

SEALED = (
    SealedColumn(ProxyProvider, "sealed_cookie_secret", ProxyProvider.place_of_cookie_secret),
    SealedColumn(StoredSession, "sealed", lambda row: place(row.id_hash)),
)
