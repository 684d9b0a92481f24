"""What may stand in an event: JSON, no secrets (I5, S-802), no field longer than 4 KiB (S-620)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Model

from doorward.identity.events.subjects import describe

REDACTED = "********************"
LONGEST_TEXT = 4096
_DEEPEST = 12

_SECRET_NAME = re.compile(
    r"(password|passwd|secret|token|private|credential|cookie|sealed|signature|authorization|otp|seed|verifier|session)",
    re.IGNORECASE,
)
_SECRET_WORDS = {"key", "api_key", "signing", "code", "state", "jwt", "dsn", "key_hash", "data", "webhook_url"}
_PUBLIC_NAMES = {
    # Names that hold one of the words above and no secret.
    "secret_of",
    "token_identifier",
    "password_stage",
    "password_change_date",
    "signing_key",
    "access_token_validity",
    "refresh_token_validity",
    "access_code_validity",
    "basic_auth_password_attribute",
    "session_duration",
    "terminate_other_sessions",
    "allow_show_password",
    "intent",
}


class Judged(dict[str, object]):
    """By names whose secrets have been taken out already."""


def is_secret(name: str) -> bool:
    """Whether a field of this name holds something that must not be shown."""
    folded = name.lower()
    if folded in _PUBLIC_NAMES:
        return False
    return folded in _SECRET_WORDS or _SECRET_NAME.search(folded) is not None


def clean(value: object, depth: int = 0) -> object:
    """``value`` as JSON: models become their description, secrets (by their name) become stars."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON has no infinity
    if isinstance(value, str):
        return _text(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Model):
        return describe(value)
    if isinstance(value, Judged):
        return {_text(name): clean(member, depth + 1) for name, member in value.items()}
    if isinstance(value, Mapping):
        return {
            _text(str(name)): REDACTED if is_secret(str(name)) and member else clean(member, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(member, depth + 1) for member in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, UUID) else _text(str(value))


def _text(value: str) -> str:
    # Neither PostgreSQL's text nor anybody's terminal takes NUL and lone surrogates (S-808).
    plain = value.encode("utf-8", "replace").decode().replace("\0", "�")
    return plain if len(plain) <= LONGEST_TEXT else plain[:LONGEST_TEXT] + "…"
