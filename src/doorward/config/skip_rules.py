"""``skip_path_regex``: the paths of an application that strangers may open (``contracts/outpost.md`` section 6).

One pattern a line, searched in the decoded path; for a whole domain in ``scheme://host/path``. Rules are tried in
order. A rule that cannot be used is not skipped over: a stranger whose request reaches it is answered 503, because
nobody can say any more what the rule was meant to open or to keep shut (S-212).

*Which page is it?* is answered only when every server behind us must understand the same path, otherwise by "cannot
tell", which no rule matches (S-207 to S-210).

Imports nothing but the standard library: workers use it, and the identity provider shows what rules would open.
"""

from __future__ import annotations

import logging
import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from doorward.config.linear_pattern import BadPattern, LinearPattern

log = logging.getLogger(__name__)

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f-\x9f;\\#?%]|//|/\.{1,2}(?:/|$)")
_READ_DIFFERENTLY = re.compile(r"%(?:2f|5c|3b|25|3f|23)|/(?:\.|%2e){1,2};", re.IGNORECASE)
_ENCODED_SLASH = re.compile("%2f|%5c", re.IGNORECASE)

ALLOW_MATCH_ALL = "(?#allowMatchAll)"
"""Begins a rule that may open the front page, or everything (S-211): a comment in a regular expression, so that others
who read the rule understand it as well."""

MAX_PATH = 4096
"""Characters; a longer path matches no rule."""


class Opening(Enum):
    """What the rules say about a path."""

    SHUT = "shut"
    OPEN = "open"
    UNUSABLE_RULE = "unusable rule"


class SkipRules:
    """The compiled rules of one proxy provider."""

    def __init__(self, text: str, provider: str) -> None:
        self._rules: list[LinearPattern | None] = []
        self._texts: list[str] = []
        for line in text.split("\n"):
            pattern = line.removesuffix("\r")
            if pattern.strip():
                self._rules.append(_compile(pattern.removeprefix(ALLOW_MATCH_ALL), provider))
                self._texts.append(pattern)

    def opening(self, path: str, origin: str = "") -> Opening:
        """What applies to ``path``, as it was asked for (still percent-encoded). Where rules are about URLs instead
        of paths, ``origin`` stands before it (S-213)."""
        if not self._rules:
            return Opening.SHUT
        plain = plain_path(path) if len(path) <= MAX_PATH else None
        for rule in self._rules:
            if rule is None:
                return Opening.UNUSABLE_RULE
            if plain is not None and rule.matches(origin + plain):
                return Opening.OPEN
        return Opening.SHUT

    def could_be_misled(self, path: str) -> bool:
        """Whether there are rules, and some application reads ``path`` (still percent-encoded) as another one than they
        would: an escaped separator, or ``..;`` for the parent."""
        return bool(self._rules) and reads_differently(path)

    def explained(self, path: str, origin: str = "") -> str:
        """The same in words, with the rule that decides."""
        if not self._rules:
            return "there are none"
        plain = plain_path(path) if len(path) <= MAX_PATH else None
        for place, rule in enumerate(self._rules):
            if rule is None:
                return f"rule {place + 1} cannot be used: {self._texts[place][:200]}"
            if plain is not None and rule.matches(origin + plain):
                return f"rule {place + 1} opens it: {self._texts[place][:200]}"
        if plain is None:
            return "the path could be read in more than one way, so none applies"
        return f"none of {len(self._rules)} applies"


def plain_path(path: str) -> str | None:
    """The decoded path, or None when servers could disagree about which page it names."""
    if _BAD_ESCAPE.search(path) or _ENCODED_SLASH.search(path):
        return None
    try:
        decoded = unquote_to_bytes(path.encode("latin-1")).decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    return None if is_ambiguous(decoded) else decoded


def is_ambiguous(decoded: str) -> bool:
    """Whether servers could disagree about which page a decoded path names."""
    return _AMBIGUOUS.search(decoded) is not None or not decoded.startswith("/")


def reads_differently(path: str) -> bool:
    """Whether ``path`` has an escape that some server takes for a separator (S-205), or parameters after dots, which
    some take for the parent (S-207)."""
    return _READ_DIFFERENTLY.search(path) is not None


def _compile(pattern: str, provider: str) -> LinearPattern | None:
    try:
        return LinearPattern(pattern)
    except BadPattern as error:
        log.error("skip rule %r of provider %r cannot be used: %s", pattern, provider, error)
        return None
