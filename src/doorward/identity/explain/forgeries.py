"""Fields that somebody forges to pass for somebody else, in the spellings that have fooled chains like ours.

Each try is one request with one way of spelling all names; a forged value is recognised wherever it arrives, under
whatever name (``contracts/security.md`` S-101, S-106 to S-109).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from doorward.messages.decisions import Trial, TrialOutcome
from doorward.messages.explanations import SpoofLine

IDENTITY = tuple(
    f"X-authentik-{name}"
    for name in (
        "username", "groups", "entitlements", "email", "name", "uid", "jwt", "meta-jwks", "meta-outpost",
        "meta-provider", "meta-app", "meta-version",
    )
)  # fmt: skip
CLIENT = (
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Prefix", "X-Real-Ip",
    "Forwarded", "X-Original-URL", "True-Client-Ip",
)  # fmt: skip
_BELIEVED = frozenset({"x-forwarded-user"})
"""A name that is nobody's of ours: shown when it arrives, because some applications believe it."""

_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("as they are", lambda name: name),
    ("lower case", str.lower),
    ("upper case", str.upper),
    ("underscores", lambda name: name.replace("-", "_")),
    ("one underscore", lambda name: "_".join(name.rsplit("-", 1))),
    ("dots", lambda name: name.replace("-", ".")),
)


@dataclass(frozen=True, slots=True)
class Try:
    """One request with forged fields."""

    spelling: str
    situation: str
    names: tuple[str, ...]
    marker: str
    trial: Trial

    def judged(self, outcome: TrialOutcome) -> SpoofLine:
        """What of it arrived."""
        arrived = tuple(name for name, value in outcome.headers if self.marker in value)
        return SpoofLine(self.spelling, self.situation, self.names, outcome.status, outcome.reached, arrived)


def tries(logged_in: Trial, stranger: Trial) -> list[Try]:
    """Every way of forging, as somebody with a session and as somebody without."""
    made = []
    for situation, base in (("logged in", logged_in), ("stranger", stranger)):
        for spelling, spell in _SPELLINGS:
            made.append(_try(f"X-authentik-…, {spelling}", situation, base, [spell(name) for name in IDENTITY]))
        made.append(_try("X-authentik-…, each twice", situation, base, [name for name in IDENTITY for _ in "12"]))
        listed = ("Connection", ", ".join(IDENTITY))
        made.append(_try("X-authentik-…, listed in Connection", situation, base, list(IDENTITY), listed))
        said = [name for name in CLIENT if name.lower() not in _BELIEVED]
        made.append(_try("fields that speak for the client", situation, base, said))
    return made


def _try(spelling: str, situation: str, base: Trial, names: list[str], *more: tuple[str, str]) -> Try:
    marker = f"forged{secrets.token_hex(6)}"
    fields = tuple((name, marker) for name in names)
    trial = msgspec.structs.replace(base, headers=(*base.headers, *fields, *more))
    return Try(spelling, situation, tuple(dict.fromkeys(names)), marker, trial)
