"""Regular expressions out of configurations."""

from __future__ import annotations

import pytest

from doorward.config.patterns import BadPattern, compile_pattern


@pytest.mark.parametrize("text", ["^X-Auth-", r"^https://.*\.example\.com$", "(a|b)c?", r"a\z", "[]a$]x"])
def test_ordinary_expressions_work(text: str) -> None:
    """What people write compiles."""
    compile_pattern(text)


@pytest.mark.parametrize(
    "text", ["^(a+)+$", "(a*)*", "(a?){50}a{50}", "(.*a){20}", r"(a)\1", "(?=a)b", ".*.*.*.*x", "("]
)
def test_what_could_run_for_ever_is_refused(text: str) -> None:
    """No expression may take more than linear time for structural reasons."""  # S-212
    with pytest.raises(BadPattern):
        compile_pattern(text)


def test_dollar_is_the_very_end() -> None:
    """``$`` does not match before a last line feed."""  # S-210
    assert compile_pattern("^/health$").search("/health\n") is None
    assert compile_pattern("^/health$").search("/health") is not None
