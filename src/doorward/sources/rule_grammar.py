"""The grammar of the rule language, for every rule and for every mistake in one: a mistake is shown where it stands.

Reading a rule by a grammar takes its time; ``plain_rules`` reads those that nearly everybody writes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from doorward.messages.routing import All, Any, Not, Rule
from doorward.sources.matchers import Value, Wrong, matcher

_GRAMMAR = r"""
?start: alternatives
?alternatives: conditions ("||" conditions)*
?conditions: unary ("&&" unary)*
?unary: "!" unary -> negation
      | "(" alternatives ")"
      | matcher
matcher: NAME "(" [value ("," value)*] ")"
value: RAW | QUOTED
NAME: /[A-Za-z][A-Za-z0-9]*/
RAW: /`[^`]*`/
QUOTED: /"(?:[^"\\\n]|\\.)*"/
%ignore /[ \t\r\n]+/
"""

_escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


class _Tree(Transformer[Token, Rule]):
    """Parse tree → rule."""

    def value(self, tokens: Sequence[Token]) -> Value:
        token = tokens[0]
        text = token[1:-1]
        if token.type == "QUOTED":
            text = re.sub(r"\\(.)", lambda found: _unescaped(found[1], token), text)
        return text, token.start_pos or 0

    def matcher(self, parts: Sequence[Token | Value | None]) -> Rule:
        name = parts[0]
        assert isinstance(name, Token)
        values = [part for part in parts[1:] if part is not None and not isinstance(part, Token)]
        return matcher(str(name), name.start_pos or 0, values)

    def negation(self, parts: Sequence[Rule]) -> Rule:
        return Not(parts[0])

    def conditions(self, parts: Sequence[Rule]) -> Rule:
        return All(tuple(parts))

    def alternatives(self, parts: Sequence[Rule]) -> Rule:
        return Any(tuple(parts))


_parser = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


def by_grammar(text: str) -> Rule:
    """The rule that ``text`` says. Raises Wrong."""
    try:
        rule: Rule = _Tree().transform(_parser.parse(text))
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, Wrong):
            raise error.orig_exc from None
        raise
    return rule


def _syntax_error(text: str, error: UnexpectedInput) -> Wrong:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return Wrong("the rule ends too early", len(text))
    position = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedCharacters) or not isinstance(error, UnexpectedToken):
        char = text[position : position + 1]
        if char == "'":
            return Wrong('text stands in `backticks` or "double quotes", not in single quotes', position)
        if char in ("`", '"'):
            return Wrong("the text that starts here does not end", position)
        if char in ("&", "|"):
            return Wrong(f"write {char * 2}", position)
        return Wrong(f"{char!r} does not belong here", position)
    word = str(error.token)
    if word.lower() in ("and", "or", "not"):
        sign = {"and": "&&", "or": "||", "not": "!"}[word.lower()]
        return Wrong(f"write {sign} instead of {word}", position)
    return Wrong(f"{word!r} does not belong here", position)


def _unescaped(char: str, token: Token) -> str:
    if char not in _escapes:
        raise Wrong(f"\\{char} means nothing here", token.start_pos or 0)
    return _escapes[char]
