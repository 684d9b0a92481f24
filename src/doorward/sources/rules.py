"""Traefik's rule language (version 3): text in, a tree out (``contracts/proxy.md`` section 2.1).

Values are data: the tree is built from the parsed text and nothing is ever put together as text (S-222). Host names
become the spelling that requests carry: lower case, A-labels (S-218).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from doorward.config.problems import NOT_YET, nearest
from doorward.messages.routing import All, Any, Host, Method, Not, Path, PathPrefix, Rule

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

MAX_LENGTH = 16384
MAX_DEPTH = 64

_MATCHERS = ("Host", "Path", "PathPrefix", "Method")
_OTHERS = ("HostRegexp", "PathRegexp", "Header", "HeaderRegexp", "Query", "QueryRegexp", "ClientIP", "Headers")
_text = re.compile(r'`[^`]*`|"(?:[^"\\]|\\.)*"')
_label = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_method = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}", re.ASCII)
_escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


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


class _Wrong(Exception):
    """Something in the tree that has no meaning, and the position of the token that says it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class _Tree(Transformer[Token, Rule]):
    """Parse tree → rule."""

    def value(self, tokens: Sequence[Token]) -> Token:
        token = tokens[0]
        text = token[1:-1]
        if token.type == "QUOTED":
            text = re.sub(r"\\(.)", lambda found: _unescaped(found[1], token), text)
        return Token("VALUE", text, start_pos=token.start_pos)

    def matcher(self, parts: Sequence[Token | None]) -> Rule:
        name, *values = (part for part in parts if part is not None)
        assert isinstance(name, Token)
        return _matcher(name, values)

    def negation(self, parts: Sequence[Rule]) -> Rule:
        return Not(parts[0])

    def conditions(self, parts: Sequence[Rule]) -> Rule:
        return All(tuple(parts))

    def alternatives(self, parts: Sequence[Rule]) -> Rule:
        return Any(tuple(parts))


_parser = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=20_000)
def parse_rule(text: str) -> Rule:
    """The rule that ``text`` says. Raises RuleError.

    Remembered: a file that changes has the same rules as before but for a few, and a grammar takes its time."""
    if not text.strip():
        raise RuleError("the rule is empty", text, 0)
    if len(text) > MAX_LENGTH:
        raise RuleError(f"the rule is longer than {MAX_LENGTH} characters", text, MAX_LENGTH)
    if _depth(text) > MAX_DEPTH:
        raise RuleError(f"the rule is nested deeper than {MAX_DEPTH} levels", text, 0)
    try:
        rule: Rule = _Tree().transform(_parser.parse(text))
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, _Wrong):
            raise RuleError(error.orig_exc.message, text, error.orig_exc.position) from None
        raise
    return rule


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


def _syntax_error(text: str, error: UnexpectedInput) -> RuleError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return RuleError("the rule ends too early", text, len(text))
    position = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedCharacters) or not isinstance(error, UnexpectedToken):
        char = text[position : position + 1]
        if char == "'":
            return RuleError('text stands in `backticks` or "double quotes", not in single quotes', text, position)
        if char in ("`", '"'):
            return RuleError("the text that starts here does not end", text, position)
        if char in ("&", "|"):
            return RuleError(f"write {char * 2}", text, position)
        return RuleError(f"{char!r} does not belong here", text, position)
    word = str(error.token)
    if word.lower() in ("and", "or", "not"):
        sign = {"and": "&&", "or": "||", "not": "!"}[word.lower()]
        return RuleError(f"write {sign} instead of {word}", text, position)
    return RuleError(f"{word!r} does not belong here", text, position)


def _unescaped(char: str, token: Token) -> str:
    if char not in _escapes:
        raise _Wrong(f"\\{char} means nothing here", token.start_pos or 0)
    return _escapes[char]


def _matcher(name: Token, values: Sequence[Token]) -> Rule:
    position = name.start_pos or 0
    known = _spelled(name, _MATCHERS)
    if known is None:
        if _spelled(name, _OTHERS) is not None:
            raise _Wrong(f"the matcher {name}: {NOT_YET}", position)
        hint = nearest(str(name), _MATCHERS)
        raise _Wrong(f"there is no matcher {name!s}" + (f"; {hint}" if hint else ""), position)
    if len(values) != 1:
        raise _Wrong(f"{known} takes one value, not {len(values)}; combine several with ||", position)
    value = values[0]
    position = value.start_pos or 0
    if not value:
        raise _Wrong(f"{known} needs a value", position)
    if known == "Host":
        return _host(value, position)
    if known == "Method":
        if not _method.fullmatch(value):
            raise _Wrong("a method is one word such as GET", position)
        return Method(str(value).upper())
    if not value.startswith("/"):
        raise _Wrong("a path starts with /", position)
    if re.search(r"[\x00-\x1f\x7f?#]", value):
        raise _Wrong("a path has no control characters, ? or #", position)
    return Path(str(value)) if known == "Path" else PathPrefix(str(value))


def _spelled(name: str, matchers: Sequence[str]) -> str | None:
    """Traefik takes four spellings: PathPrefix, pathprefix, PATHPREFIX, Pathprefix."""
    for matcher in matchers:
        if name in (matcher, matcher.lower(), matcher.upper(), matcher.capitalize()):
            return matcher
    return None


def _host(value: str, position: int) -> Rule:
    if value == "*":
        return PathPrefix("/")  # every request, one without a host included
    name = value.removesuffix(".")
    wildcard = name.startswith("*.")
    if wildcard:
        name = name[2:]
    if name.startswith("[") and name.endswith("]") and not wildcard:
        return Host(name.lower())
    try:
        labels = [_a_label(label) for label in name.split(".")]
    except UnicodeError as error:  # IDNAError is one
        raise _Wrong(f"{str(value)!r} is no host name: {error}", position) from None
    if not all(map(_label.fullmatch, labels)) or len(".".join(labels)) > 253:
        if ":" in value:
            raise _Wrong("a host has no port: rules match the name alone", position)
        raise _Wrong(f"{str(value)!r} is no host name", position)
    return Host(("*." if wildcard else "") + ".".join(labels))


def _a_label(label: str) -> str:
    """Lower case and, if it has other letters than ASCII, the ``xn--`` form. Raises IDNAError."""
    lower = label.lower()
    if label.isascii() and not lower.startswith("xn--"):
        return lower
    import idna  # its tables weigh a megabyte, and few hosts need them

    if label.isascii():
        idna.ulabel(lower)
        return lower
    return idna.alabel(unicodedata.normalize("NFC", label.lower())).decode("ascii")
