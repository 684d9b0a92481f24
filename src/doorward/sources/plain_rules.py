"""The rules that nearly everybody writes, read without the grammar: matchers with one value in backticks, joined by
``&&`` and ``||``, with parentheses one level deep.

Whatever is anything else, or makes no sense, is not for this reader: the grammar knows what to say about it. A test
compares the two over rules of all kinds.
"""

from __future__ import annotations

import re

from doorward.messages.routing import All, Any, Rule
from doorward.sources.matchers import Wrong, matcher

_WS = r"[ \t\r\n]*+"
_matcher = re.compile(rf"{_WS}([A-Za-z][A-Za-z0-9]*+){_WS}\({_WS}`([^`]*+)`{_WS}\){_WS}").match
_opening = re.compile(rf"{_WS}\(").match
_closing = re.compile(rf"\){_WS}").match
_MOST = 512
"""Matchers in a rule."""


def plain_rule(text: str) -> Rule | None:
    """The rule that ``text`` says, if it is plain."""
    try:
        found = _alternatives(text, 0, within=False)
    except Wrong:
        return None
    return found[0] if found is not None and found[1] == len(text) else None


_Found = tuple[Rule, int] | None
"""A rule, and where it ends in the text."""


def _alternatives(text: str, at: int, *, within: bool) -> _Found:
    """``within``: inside parentheses, where others may not stand."""
    parts: list[Rule] = []
    while True:
        found = _conditions(text, at, within)
        if found is None or len(parts) >= _MOST:
            return None
        parts.append(found[0])
        at = found[1]
        if not text.startswith("||", at):
            return (parts[0] if len(parts) == 1 else Any(tuple(parts))), at
        at += 2


def _conditions(text: str, at: int, within: bool) -> _Found:
    parts: list[Rule] = []
    while True:
        match = _matcher(text, at)
        if match is not None:
            parts.append(matcher(match[1], 0, ((match[2], 0),)))
            at = match.end()
        else:
            found = None if within else _group(text, at)
            if found is None:
                return None
            parts.append(found[0])
            at = found[1]
        if len(parts) > _MOST:
            return None
        if not text.startswith("&&", at):
            return (parts[0] if len(parts) == 1 else All(tuple(parts))), at
        at += 2


def _group(text: str, at: int) -> _Found:
    opening = _opening(text, at)
    found = None if opening is None else _alternatives(text, opening.end(), within=True)
    closing = None if found is None else _closing(text, found[1])
    return None if found is None or closing is None else (found[0], closing.end())
