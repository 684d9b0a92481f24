"""How somebody has logged in, as the ID token of that login says it: the facts on which step-up by path rests.

They are read when a browser has logged in and at no other time. A renewed token is no proof of anything that the person
did (OpenID Connect Core section 12.2), so it neither adds to them nor takes from them; and nothing that a browser or a
program sends has a part in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from doorward.messages.sessions import Claims

_LONGEST = 255
_MOST_METHODS = 16


def with_facts(kept: Claims, verified: Mapping[str, Any]) -> Claims:
    """``kept`` with the facts in the ``verified`` claims of an ID token; what is no text or no number is not there
    (S-433)."""
    acr, methods, at = verified.get("acr"), verified.get("amr"), verified.get("auth_time")
    is_time = isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at) and at > 0
    return msgspec.structs.replace(
        kept,
        acr=acr if _is_word(acr) else "",
        amr=tuple(filter(_is_word, methods[:_MOST_METHODS])) if isinstance(methods, list) else (),
        auth_time=float(at) if is_time and at is not None else 0.0,
    )


def with_facts_of(renewed: Claims, login: Claims) -> Claims:
    """``renewed`` with the facts of the ``login`` that it descends from."""
    return msgspec.structs.replace(renewed, acr=login.acr, amr=login.amr, auth_time=login.auth_time)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
