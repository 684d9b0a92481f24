"""Rules that are read at a glance mean what the grammar says they mean."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from doorward.messages.routing import Rule
from doorward.sources.matchers import Wrong
from doorward.sources.plain_rules import plain_rule
from doorward.sources.rule_grammar import by_grammar
from doorward.sources.rules import parse_rule

SPACE = st.sampled_from(["", "", " ", "\n  ", "\t"])
VALUES = st.sampled_from(
    ["/", "/a b", "/v1", "app.test", "*.app.test", "*", "GET", "[::1]", "bücher.test", "", "a:80", "&&"]
)
NAMES = st.sampled_from(["Host", "Path", "PathPrefix", "Method", "pathprefix", "HOST", "hOsT", "HostRegexp", "Nothing"])
MATCHERS = st.builds(
    lambda name, a, b, value, c, quote: f"{name}{a}({b}{quote}{value}{quote}{c})",
    NAMES, SPACE, SPACE, VALUES, SPACE, st.sampled_from(["`", "`", "`", '"']),
)  # fmt: skip
JOINS = st.sampled_from([" && ", " || ", "&&", "||", " & ", " and ", " "])
RULES = st.recursive(
    MATCHERS,
    lambda inner: st.one_of(
        st.builds(lambda a, join, b: a + join + b, inner, JOINS, inner),
        st.builds(lambda before, a, after: f"{before}({before}{a}{after}){after}", SPACE, inner, SPACE),
        inner.map(lambda rule: "!" + rule),
    ),
    max_leaves=8,
)


def read_by_grammar(text: str) -> Rule | None:
    try:
        return by_grammar(text)
    except Wrong:
        return None


@given(RULES, st.integers(0, 300), st.sampled_from(["", "(", ")", "`", "!", "&&", "\\", ",", " "]))
@example("((Host(`a`)))", 0, "")
@example("Host(`a`) && (Path(`/x`) && Path(`/y`))", 0, "")
@example("Host(`a`)\v", 0, "")
@settings(max_examples=500, deadline=None)
def test_both_readers_agree(rule: str, place: int, mistake: str) -> None:
    """Whatever the quick one reads, the grammar reads in the same way, in rules with and without a mistake."""
    for text in (rule, rule[:place] + mistake + rule[place:], rule[:place] + rule[place + 1 :]):
        found = plain_rule(text)
        if found is not None:
            assert found == read_by_grammar(text)


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`app.example.test`)",
        "Host(`a.test`) && PathPrefix(`/x`)",
        "Host( `a.test` ) ||\n  Host(`b.test`)",
        "Host(`a.test`) && (PathPrefix(`/x`) || Path(`/y`))",
        "(Host(`a.test`) || Host(`b.test`)) && Method(`GET`)",
    ],
)
def test_the_usual_rules_need_no_grammar(rule: str) -> None:
    """What nearly everybody writes is read quickly."""
    assert plain_rule(rule) == by_grammar(rule) == parse_rule(rule)


def test_the_grammar_stays_where_it_is_until_it_is_needed() -> None:
    """A program with usual rules does not load it."""
    source = (
        "import sys; from doorward.sources.compile import parse_rule; parse_rule('Host(`a`)');"
        "assert 'lark' not in sys.modules; parse_rule('!Host(`a`)'); assert 'lark' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", source], check=True)


def test_a_long_rule_is_read_too() -> None:
    """Many hosts in one rule: by the quick reader up to some hundreds, by the grammar beyond."""
    for count in (400, 700):
        rule = " || ".join(f"Host(`h{number}.test`)" for number in range(count))
        if len(rule) <= 16384:
            assert parse_rule(rule) == by_grammar(rule)
