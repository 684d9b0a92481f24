"""Traefik's rule language."""

from __future__ import annotations

import time

import pytest

from doorward.messages.routing import All, Any, Host, Method, Not, Path, PathPrefix, Rule
from doorward.sources.rules import RuleError, parse_rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Host(`App.Example.TEST`)", Host("app.example.test")),
        ("Host(`app.example.test.`)", Host("app.example.test")),
        ("Host(`*.example.test`)", Host("*.example.test")),
        ("Host(`*`)", PathPrefix("/")),
        ("Host(`10.0.0.1`)", Host("10.0.0.1")),
        ("Host(`[::1]`)", Host("[::1]")),
        ("Method(`get`)", Method("GET")),
        ('Path("/a b")', Path("/a b")),
        (r'Path("/a\"b")', Path('/a"b')),
        ("PathPrefix(`/v1`)", PathPrefix("/v1")),
        ("pathprefix(`/`) ", PathPrefix("/")),
        ("PATHPREFIX(`/`)", PathPrefix("/")),
        ("Pathprefix(`/`)", PathPrefix("/")),
        ("!Host(`a`)", Not(Host("a"))),
        ("Host(`a`) && Path(`/x`) || Path(`/y`)", Any((All((Host("a"), Path("/x"))), Path("/y")))),
        ("Host(`a`) && (Path(`/x`) || Path(`/y`))", All((Host("a"), Any((Path("/x"), Path("/y")))))),
        ("!(Host(`a`) && Host(`b`))", Not(All((Host("a"), Host("b"))))),
        ("Host(`a`)\n  && Path(`/x`)", All((Host("a"), Path("/x")))),
    ],
)
def test_rules_become_trees(text: str, rule: Rule) -> None:
    """A rule means what it means in Traefik."""
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the rule is empty"),
        ("Host(`a`", 9, "the rule ends too early"),
        ("Host(`a", 6, "the text that starts here does not end"),
        ("Host('a')", 6, "not in single quotes"),
        ("Host(`a`) and Path(`/`)", 11, "write && instead of and"),
        ("Host(`a`) & Path(`/`)", 11, "write &&"),
        ("Host(`a`) Path(`/`)", 11, "'Path' does not belong here"),
        ("Host(`a`) && hOsT(`b`)", 14, "there is no matcher hOsT"),
        ("Hots(`a`)", 1, "did you mean 'Host'?"),
        ("Host(`a`, `b`)", 1, "Host takes one value, not 2; combine several with ||"),
        ("Host()", 1, "Host takes one value, not 0"),
        ("Host(``)", 6, "Host needs a value"),
        ("Host(`a:80`)", 6, "a host has no port"),
        ("Host(`a b`)", 6, "is no host name"),
        ("Host(`*.*.a`)", 6, "is no host name"),
        ("Path(`x`)", 6, "a path starts with /"),
        ("PathPrefix(`/a?b`)", 12, "a path has no control characters"),
        ("Method(`GE T`)", 8, "one word"),
        ("HostRegexp(`.+`)", 1, "Traefik has this option, Doorward does not support it yet"),
        ("Host(`a`) || ClientIP(`10.0.0.0/8`)", 14, "does not support it yet"),
    ],
)
def test_mistakes_are_shown_with_a_caret(text: str, column: int, message: str) -> None:
    """A wrong rule says what is wrong, and points at it."""
    with pytest.raises(RuleError) as caught:
        parse_rule(text)

    assert message in str(caught.value)
    assert caught.value.column == column
    assert str(caught.value).splitlines()[-1] == "    " + " " * (column - 1) + "^"


def test_international_names_become_a_labels() -> None:
    """A name in the user's script matches what browsers send for it."""  # S-218
    assert parse_rule("Host(`bücher.example.test`)") == Host("xn--bcher-kva.example.test")
    assert parse_rule("Host(`BÜCHER.example.test`)") == Host("xn--bcher-kva.example.test")


@pytest.mark.parametrize("name", ["xn--a", "xn--abc-", "xn--\u00fc", "a\u200bb.test", "\u2024.test"])
def test_broken_international_names_are_refused(name: str) -> None:
    """An A-label that decodes to nothing or to ASCII matches nobody."""  # S-218
    with pytest.raises(RuleError):
        parse_rule(f"Host(`{name}`)")


@pytest.mark.parametrize("value", ["x`) || Host(`y", 'x") || Host("y', "x\ny", "a||b", "a(b", "a)"])
def test_values_stay_values(value: str) -> None:
    """A value that looks like rule syntax never becomes rule syntax."""  # S-222
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    with pytest.raises(RuleError, match="is no host name"):
        parse_rule(f'Host("{quoted}")')


def test_deep_nesting_is_refused() -> None:
    """A rule of parentheses cannot exhaust the stack."""
    for text in ("(" * 200 + "Host(`a`)" + ")" * 200, "!" * 200 + "Host(`a`)", "(Host(`a`) && " * 200 + "Host(`a`)"):
        with pytest.raises(RuleError, match="nested deeper"):
            parse_rule(text)


def test_long_rules_are_fine() -> None:
    """A rule that lists five hundred hosts is parsed in a moment."""  # S-925
    text = " || ".join(f"Host(`h{number}.example.test`)" for number in range(480))

    started = time.perf_counter()
    rule = parse_rule(text)

    assert isinstance(rule, Any)
    assert len(rule.rules) == 480
    assert time.perf_counter() - started < 1.0
