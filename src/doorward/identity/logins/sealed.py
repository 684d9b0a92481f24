"""What a login session remembers is not sealed, but signed with the secret key: it too is renewed with it."""

from __future__ import annotations

from django.core import signing
from django.db import models

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore


class SignedSessions(SealedColumn):
    """Django writes ``session_data``."""

    def renewed(self, row: models.Model) -> str | None:
        """Signed anew, where a former key signed it. What was signed by nobody is left: it counts as empty."""
        assert isinstance(row, LoginSession)
        salt = SessionStore().key_salt
        try:
            signing.loads(row.session_data, salt=salt, serializer=SessionStore().serializer, fallback_keys=[])
        except signing.BadSignature:
            data = SessionStore().decode(row.session_data)
            return SessionStore().encode(data) if data else None
        return None


SEALED = (SignedSessions(LoginSession, "session_data", lambda row: ""),)
