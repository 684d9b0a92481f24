"""Regular expressions that take time proportional to the text, whatever the pattern.

The rules that an administrator writes were meant for RE2, which never backtracks; Python's ``re`` does, and a rule
such as ``.*a.*b.*c`` lets a stranger burn minutes with one request. Here the standard library only parses. The
parse tree becomes a nondeterministic automaton, and all of its states advance together, one character at a time
(Thompson 1968). What RE2 does not know either (look-around, back-references, possessive repeats) is refused, and so
is an unbounded repeat inside another, which is never meant (S-212). ``$`` is the very end, not "before a last
newline" (S-210).
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]  # the parser has no public name
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from typing import Any

MAX_STATES = 2000
"""A bounded repeat is written out, so ``(x{1000}){1000}`` must be refused rather than built."""

Test = Callable[[str], bool]
Nodes = Iterable[tuple[Any, Any]]


class BadPattern(ValueError):
    """The pattern does not compile, or asks for more than a linear engine does."""


class LinearPattern:
    """One compiled pattern. ``matches`` searches: the pattern is not anchored unless it says so itself."""

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        """``ignore_case``: whatever the pattern says about it. Raises BadPattern."""
        try:
            tree = parser.parse(pattern, re.IGNORECASE if ignore_case else 0)
        except (re.error, RecursionError, OverflowError) as error:
            raise BadPattern(str(error)) from error
        self._ignore_case = bool(tree.state.flags & re.IGNORECASE)
        self._dot_all = bool(tree.state.flags & re.DOTALL)
        self._moves: list[tuple[Test, int] | None] = []
        """Per state: the test that the next character must pass, and the state after it."""
        self._jumps: list[list[tuple[str, int]]] = []
        """Per state: where it leads without a character, under which condition ("" for none)."""
        self._end = self._state()
        self._start = self._sequence(tree, self._end, repeated=False)
        jumps = self._jumps[self._start]
        self._anchored = bool(jumps) and all(condition == "start" for condition, _ in jumps)

    def matches(self, text: str) -> bool:
        """Whether the pattern is found anywhere in ``text``."""
        current: set[int] = set()
        for at in range(len(text) + 1):
            if at == 0 or not self._anchored:
                self._reach(current, self._start, text, at)
            if self._end in current:
                return True
            if at == len(text) or (self._anchored and not current):
                break
            following: set[int] = set()
            for state in current:
                move = self._moves[state]
                if move is not None and move[0](text[at]):
                    self._reach(following, move[1], text, at + 1)
            current = following
        return False

    @property
    def size(self) -> int:
        """States: what each character costs at most."""
        return len(self._moves)

    def longest(self, text: str, start: int) -> tuple[int | None, int]:
        """The end of the longest match that begins at ``start``, if one does, and how many characters it looked at."""
        current: set[int] = set()
        self._reach(current, self._start, text, start)
        found = start if self._end in current else None
        at = start
        while current and at < len(text):
            following: set[int] = set()
            for state in current:
                move = self._moves[state]
                if move is not None and move[0](text[at]):
                    self._reach(following, move[1], text, at + 1)
            at += 1
            current = following
            found = at if self._end in current else found
        return found, at - start

    def _reach(self, reached: set[int], state: int, text: str, at: int) -> None:
        pending = [state]
        while pending:
            state = pending.pop()
            if state not in reached:
                reached.add(state)
                pending.extend(to for condition, to in self._jumps[state] if _holds(condition, text, at))

    # Building goes backwards: each part is given the state that follows it and returns the state that begins it.

    def _state(self, move: tuple[Test, int] | None = None, *jumps: tuple[str, int]) -> int:
        if len(self._moves) >= MAX_STATES:
            raise BadPattern("the pattern is too large")
        self._moves.append(move)
        self._jumps.append(list(jumps))
        return len(self._moves) - 1

    def _sequence(self, nodes: Nodes, after: int, repeated: bool) -> int:
        for kind, argument in reversed(list(nodes)):
            after = self._part(kind, argument, after, repeated)
        return after

    def _part(self, kind: Any, argument: Any, after: int, repeated: bool) -> int:
        if kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            return self._state((self._test(kind, argument), after))
        if kind is op.BRANCH:
            starts = [self._sequence(branch, after, repeated) for branch in argument[1]]
            return self._state(None, *[("", start) for start in starts])
        if kind is op.SUBPATTERN:
            _, added, removed, body = argument
            if added or removed:
                raise BadPattern("flags that change inside the pattern are not supported")
            return self._sequence(body, after, repeated)
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            least, most, body = argument
            return self._repeat(least, most, body, after, repeated)
        if kind is op.AT and argument in _CONDITIONS:
            return self._state(None, (_CONDITIONS[argument], after))
        raise BadPattern(f"{str(kind).lower()} is not supported")

    def _repeat(self, least: int, most: int, body: Nodes, after: int, repeated: bool) -> int:
        unbounded = most is op.MAXREPEAT
        if unbounded and repeated:
            raise BadPattern("an unbounded repeat inside another unbounded repeat")
        if unbounded:
            loop = self._state(None, ("", after))
            self._jumps[loop].append(("", self._sequence(body, loop, repeated=True)))
            after = loop
        else:
            for _ in range(most - least):
                after = self._state(None, ("", after), ("", self._sequence(body, after, repeated)))
        for _ in range(least):
            after = self._sequence(body, after, repeated or unbounded)
        return after

    def _test(self, kind: Any, argument: Any) -> Test:
        if kind is op.ANY:
            return (lambda c: True) if self._dot_all else (lambda c: c != "\n")
        members = argument if kind is op.IN else [(op.LITERAL, argument)]
        test = _any_of(members)
        if self._ignore_case:
            exact = test
            test = lambda c: exact(c.lower()) or exact(c.upper())  # noqa: E731
        negated = kind is op.NOT_LITERAL or (kind is op.IN and members[0][0] is op.NEGATE)
        return (lambda c: not test(c)) if negated else test


def _any_of(members: list[tuple[Any, Any]]) -> Test:
    """The test "is one of these", for the inside of a character class."""
    singles = frozenset(chr(value) for kind, value in members if kind is op.LITERAL)
    ranges = [(chr(value[0]), chr(value[1])) for kind, value in members if kind is op.RANGE]
    categories = [_CATEGORIES[value] for kind, value in members if kind is op.CATEGORY]
    if not ranges and not categories:
        return lambda c: c in singles
    return lambda c: (
        c in singles or any(low <= c <= high for low, high in ranges) or any(test(c) for test in categories)
    )


def _is_word(c: str) -> bool:
    return c == "_" or (c.isascii() and c.isalnum())


def _is_digit(c: str) -> bool:
    return c.isascii() and c.isdigit()


def _is_space(c: str) -> bool:
    return c in " \t\n\r\f\v"


_CATEGORIES: dict[Any, Test] = {
    op.CATEGORY_DIGIT: _is_digit,
    op.CATEGORY_NOT_DIGIT: lambda c: not _is_digit(c),
    op.CATEGORY_SPACE: _is_space,
    op.CATEGORY_NOT_SPACE: lambda c: not _is_space(c),
    op.CATEGORY_WORD: _is_word,
    op.CATEGORY_NOT_WORD: lambda c: not _is_word(c),
}
_CONDITIONS: dict[Any, str] = {
    op.AT_BEGINNING: "start",
    op.AT_BEGINNING_STRING: "start",
    op.AT_END: "end",
    op.AT_END_STRING: "end",
    op.AT_BOUNDARY: "boundary",
    op.AT_NON_BOUNDARY: "no boundary",
}


def _holds(condition: str, text: str, at: int) -> bool:
    if condition == "":
        return True
    if condition == "start":
        return at == 0
    if condition == "end":
        return at == len(text)
    boundary = (at > 0 and _is_word(text[at - 1])) != (at < len(text) and _is_word(text[at]))
    return boundary == (condition == "boundary")
