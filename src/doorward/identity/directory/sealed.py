"""Keys of tokens that nobody has viewed yet are sealed, and the word that knows its secret key again."""

from __future__ import annotations

from doorward.identity.crypto.sealed_columns import SealedColumn
from doorward.identity.directory.models import KEY_CHECK, Installation, Token
from doorward.identity.directory.tokens import place

SEALED = (
    SealedColumn(Token, "sealed_key", place),
    SealedColumn(Installation, "key_check", lambda row: KEY_CHECK),
)
