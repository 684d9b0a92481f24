"""Traefik's rule language (version 3): text in, a tree out (``contracts/proxy.md`` section 2.1).

Values are data: the tree is built from the parsed text and nothing is ever put together as text (S-222). Most rules
are read at a glance (``plain_rules``); the grammar is loaded when one of the others comes.
"""

from __future__ import annotations

import re
from functools import lru_cache

from doorward.messages.routing import Rule
from doorward.sources.matchers import Wrong
from doorward.sources.plain_rules import plain_rule

MAX_LENGTH = 16384
MAX_DEPTH = 64

_text = re.compile(r'`[^`]*`|"(?:[^"\\]|\\.)*"')


class RuleError(ValueError):
    """A rule that says nothing. The message shows the place with a caret."""

    def __init__(self, message: str, rule: str, position: int) -> None:
        line_start = rule.rfind("\n", 0, position) + 1
        line_end = rule.find("\n", position)
        line = rule[line_start : line_end if line_end >= 0 else len(rule)]
        column = position - line_start
        first = max(0, column - 60)
        shown = line[first : column + 60]
        super().__init__(f"{message} (column {column + 1})\n    {shown}\n    {' ' * (column - first)}^")
        self.reason = message
        self.column = column + 1


@lru_cache(maxsize=20_000)
def parse_rule(text: str) -> Rule:
    """The rule that ``text`` says. Raises RuleError.

    Remembered: a file that changes has the same rules as before but for a few."""
    if not text.strip():
        raise RuleError("the rule is empty", text, 0)
    if len(text) > MAX_LENGTH:
        raise RuleError(f"the rule is longer than {MAX_LENGTH} characters", text, MAX_LENGTH)
    plain = plain_rule(text)
    if plain is not None:
        return plain
    if _depth(text) > MAX_DEPTH:
        raise RuleError(f"the rule is nested deeper than {MAX_DEPTH} levels", text, 0)
    from doorward.sources.rule_grammar import by_grammar  # few need it, and all would wait for it

    try:
        return by_grammar(text)
    except Wrong as error:
        raise RuleError(error.message, text, error.position) from None


def _depth(text: str) -> int:
    """How deep parentheses and negations stand in one another, at most."""
    depth = deepest = negations = 0
    for sign in re.findall(r"[()!|&]", _text.sub("", text)):
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        negations = negations + 1 if sign == "!" else negations
        deepest = max(deepest, depth + negations)
        if sign in "|&":
            negations = 0
    return deepest
