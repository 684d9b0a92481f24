"""Paths that strangers may open: exactly those that the rules say, and never by a trick."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.config.linear_pattern import BadPattern, LinearPattern
from doorward.config.skip_rules import Opening, SkipRules
from outpost.world import BOB, World, is_page, link_of, provider, request_of


def opening(rules: str, path: str) -> Opening:
    return SkipRules(rules, "p").opening(path)


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ("^/health$", "/health"),
        ("/health", "/api/health/x"),  # S-211: unanchored
        ("^/public", "/public/x"),
        ("^/a\r\n^/b\r\n", "/b"),
        ("^/a\n\n  \n^/b", "/b"),
        ("^/a b$", "/a%20b"),
        ("^/grüße$", "/gr%C3%BC%C3%9Fe"),
        ("(?i)^/Public$", "/pUBLIC"),
        (r"^/v\d+/(a|b)[^/]*\.js$", "/v12/bx.js"),
        ("^/file", "/file%2etxt"),
    ],
)
def test_what_is_open(rules: str, path: str) -> None:
    """Rules are searched in the decoded path, one a line, whatever ends the lines."""
    assert opening(rules, path) is Opening.OPEN


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ("", "/"),
        ("^/health$", "/health/x"),
        ("^/health$", "/health;x=1"),  # S-207
        ("^/health", "/health/..;/admin"),  # S-207
        ("^/health", "/health/../admin"),
        ("^/health", "/health/%2e%2e/admin"),
        ("^/health", "/health/%2E%2e%2Fadmin"),
        ("^/health", "/health/..%2fadmin"),
        ("^/health", "/health/..%5cadmin"),
        ("^/health", "/health\\..\\admin"),
        ("^/health", "/health//admin"),
        ("^/health", "/health/./admin"),
        ("^/health", "/health/.."),
        ("^/health", "/health%"),
        ("^/health", "/health%zz"),
        ("^/health", "/health%00"),
        ("^/health", "/health%ff"),
        ("^/health", "/health%252e%252e/admin"),
        ("^/health", "/health%c0%ae%c0%ae/admin"),
        ("/health$", "/admin%23/health"),  # S-209
        ("/health$", "/admin%3f/health"),
        ("^/health$", "/health%0a"),  # S-210
        ("^/health", "/health" + "x" * 5000),
    ],
)
def test_what_stays_shut(rules: str, path: str) -> None:
    """A path that two servers could read differently matches no rule."""
    assert opening(rules, path) is Opening.SHUT


@pytest.mark.parametrize("bad", ["^(a+)+$", "^(a*)*$", "(", "[", "(?=x)", r"(a)\1", "(?P<n>a)(?P=n)", "(x{999}){999}"])
def test_rules_that_cannot_be_used(bad: str) -> None:
    """What does not compile or could be exponential is not skipped over: who reaches it is not let in."""  # S-212
    assert opening(bad, "/x") is Opening.UNUSABLE_RULE
    assert opening(f"^/ok$\n{bad}", "/ok") is Opening.OPEN
    assert opening(f"{bad}\n^/ok$", "/ok") is Opening.UNUSABLE_RULE


async def test_an_unusable_rule_in_use(world: World) -> None:
    """Strangers get a 503 that says so and can log in; who is logged in notices nothing."""  # S-212
    world.use(provider(1, "app.example.test", skip_path_regex="^/ok$\n^(a+)+$"))
    browser = world.browser()
    assert (await browser.get("/ok")).status == 200
    answer = await browser.get("/x")
    assert is_page(answer, 503, "cannot be used")
    started = await browser.get(link_of(answer))
    assert request_of(started)
    await browser.get(browser.callback(started))
    assert (await browser.get("/x")).status == 200


@pytest.mark.parametrize("pattern", [".*a.*b.*c.*d", "a*a*a*a*a*b", "(a|a)*b", "x*" * 20 + "y"])
def test_no_rule_takes_long(pattern: str) -> None:
    """Patterns that keep a backtracking engine busy for minutes are done at once."""
    begun = time.perf_counter()
    assert not LinearPattern(pattern).matches("/" + "a" * 4000 + "x" * 90)
    assert time.perf_counter() - begun < 3


ATOMS = ["a", "b", "/", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "^", "$", r"\b", r"\B", "[a-c/]", r"[\d_]"]
REPEATED = st.sampled_from(["a", "[ab]", ".", "(?:ab|b)"])
REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})"),
        st.tuples(REPEATED, REPEATS).map("".join),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(PATTERNS, st.text("ab/.1_\n", min_size=1, max_size=8))
def test_the_engine_agrees_with_the_standard_library(pattern: str, text: str) -> None:
    """For all that both can do, searching gives the same answer (with ``$`` as the very end)."""
    try:
        ours = LinearPattern(pattern)
    except BadPattern:
        return
    theirs = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert ours.matches(text) == bool(theirs.search(text)), pattern


MISLEADING = ("/health%2f..%2fadmin", "/a%2Fb", "/a%5cb", "/a%3bb", "/a%25b", "/a%3fb", "/a%23b", "/health/..;/admin")


@pytest.mark.parametrize("path", MISLEADING)
async def test_a_path_that_could_mislead_a_rule_is_refused(path: str) -> None:
    """Where rules open paths, nobody may disagree about the path, logged in or not; without rules it passes."""
    # S-205, S-207
    ruled, whole = "ruled.example.test", "whole.example.test"
    world = World(provider(1, ruled, skip_path_regex="^/health$"), provider(2, whole))

    browser = world.browser(BOB, ruled)
    assert (await browser.get(path)).status == 400
    await browser.log_in("/")
    assert (await browser.get("/")).status == 200
    assert (await browser.get(path)).status == 400
    assert (await browser.get("/health;x")).status == 200  # an ordinary segment

    free = world.browser(BOB, whole)
    await free.log_in("/")
    assert (await free.get(path)).status == 200
