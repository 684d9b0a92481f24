"""Step-up by path: what some paths of an application ask of a login beyond the rest (``messages.outposts.StepUpRule``).

A rule protects, so whatever could be meant by a path counts. It fits if its expression is found in the decoded path, in
upper or lower case, as it stands or as a lax server would read it (``/admin.``, or the name in full-width letters). To
a path that servers could read in more than one way (``//admin``, ``/x/../admin``, ``/admin;x``) all rules apply, and to
every path a rule that cannot be used. For a whole domain ``scheme://host/path`` is searched besides the path.

Imports nothing that only one side has: workers judge with it, and the identity provider shows what would be asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import normalize

from doorward.config.linear_pattern import BadPattern, LinearPattern
from doorward.config.skip_rules import MAX_PATH, is_ambiguous, plain_path, reads_differently
from doorward.messages.outposts import StepUpRule
from doorward.messages.sessions import Claims

log = logging.getLogger(__name__)

LEEWAY = 60.0
"""Seconds by which a login may lie in the future: two clocks differ (RFC 7519 section 4.1.4)."""
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a login lacks for a path."""

    rules: tuple[int, ...]
    """Places of all rules that apply."""
    factor: bool
    """It is worth less than one of them asks for."""
    age: bool
    """It is too old, or nobody knows how old it is."""
    program: bool = False
    """Nobody has logged in at all: a program brought its credentials."""


class StepUpRules:
    """The compiled rules of one proxy provider."""

    def __init__(self, rules: Iterable[StepUpRule], provider: str) -> None:
        self._rules = tuple(rules)
        self._patterns = [_compiled(rule.path, provider) for rule in self._rules]
        self._all = tuple(range(len(self._rules)))
        self._remembered: dict[tuple[str, str], tuple[int, ...]] = {}

    def applying(self, path: str, origin: str = "") -> tuple[int, ...]:
        """Places of the rules that apply to ``path``, as it was asked for (still percent-encoded); ``origin``: of its
        host, where the rules are about a whole domain."""
        known = self._remembered.get((origin, path))
        if known is not None:
            return known
        found = self._find(path, origin)
        if len(path) <= _LONGEST_REMEMBERED:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[origin, path] = found
        return found

    def shortfall(self, applying: tuple[int, ...], claims: Claims, now: float) -> Shortfall | None:
        """What a login with these ``claims`` lacks for the rules at these places; None: nothing."""
        factor = age = False
        for place in applying:
            rule = self._rules[place]
            if rule.acr or rule.amr:
                factor |= claims.acr not in rule.acr and not set(rule.amr) & set(claims.amr)
            if rule.max_age:
                age |= not (now - rule.max_age <= claims.auth_time <= now + LEEWAY)
        return Shortfall(applying, factor, age) if factor or age else None

    def program_falls_short(self, applying: tuple[int, ...]) -> Shortfall | None:
        """The same for a program, which satisfies no rule but is let off by some."""
        if all(self._rules[place].machines for place in applying):
            return None
        return Shortfall(applying, factor=True, age=False, program=True)

    def known(self, places: Iterable[int]) -> tuple[int, ...]:
        """Those of ``places`` at which there are rules (still)."""
        return tuple(place for place in places if 0 <= place < len(self._rules))

    def acr_values(self, applying: tuple[int, ...]) -> tuple[str, ...]:
        """What the issuer is asked for, the best first: what satisfies all of these rules, if anything does."""
        wanted = [self._rules[place].acr for place in applying if self._rules[place].acr]
        common = [value for value in wanted[0] if all(value in each for each in wanted)] if wanted else []
        return tuple(common or dict.fromkeys(value for each in wanted for value in each))

    def max_age(self, applying: tuple[int, ...]) -> int | None:
        """Seconds that the login may be old; None: any age."""
        ages = [int(self._rules[place].max_age) for place in applying if self._rules[place].max_age]
        return min(ages) if ages else None

    def asked(self, applying: tuple[int, ...]) -> str:
        """What these rules ask for, in a few words; empty for none."""
        values, age = self.acr_values(applying), self.max_age(applying)
        words = [factor_in_words(values)] if values or any(self._rules[place].amr for place in applying) else []
        if age is not None:
            words.append(f"a login of the last {in_words(age)}")
        return " and ".join(words)

    def explained(self, applying: tuple[int, ...]) -> str:
        """Which rules these are."""
        return "; ".join(f"rule {place + 1} ({self._rules[place].path[:200]})" for place in applying)

    def _find(self, path: str, origin: str) -> tuple[int, ...]:
        plain = plain_path(path) if len(path) <= MAX_PATH and not reads_differently(path) else None
        if plain is None:
            return self._all
        lax = "/".join(part.rstrip(". ") for part in normalize("NFKC", plain).split("/"))
        if lax != plain and is_ambiguous(lax):
            return self._all
        texts = {plain, lax}
        if origin:
            texts |= {before + text for text in texts for before in _spellings(origin)}
        return tuple(
            place
            for place, patterns in enumerate(self._patterns)
            if not patterns or any(each.matches(text) for each in patterns for text in texts)
        )


def _spellings(origin: str) -> set[str]:
    """How a rule may call a host: what a proxy says about scheme and port must not lead around it."""
    host = origin.partition("://")[2]
    return {f"{scheme}://{name}" for scheme in ("http", "https") for name in (host, host.partition(":")[0])}


def compiled(path: str) -> tuple[LinearPattern, LinearPattern]:
    """The expression of a rule as it stands, and whatever the case. Raises BadPattern."""
    return LinearPattern(path), LinearPattern(path, ignore_case=True)


def factor_in_words(acr_values: tuple[str, ...]) -> str:
    """What ``acr_values`` ask for."""
    if not acr_values or "mfa" in acr_values:
        return "a second factor"
    return "a passkey or security key" if "phr" in acr_values else f"a stronger login ({acr_values[0]})"


def in_words(seconds: int) -> str:
    """A length of time, as people say it."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            number = seconds // length
            return unit if number == 1 else f"{number} {unit}s"
    return f"{seconds} seconds"


def _compiled(path: str, provider: str) -> tuple[LinearPattern, ...]:
    try:
        return compiled(path)
    except BadPattern as error:
        log.error("step-up rule %r of provider %r cannot be used, so all paths ask for it: %s", path, provider, error)
        return ()
