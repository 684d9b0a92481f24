"""Rules for paths that ask for more: written a line each or as objects, checked, tried, and told to the outpost."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from doorward.identity.outposts import step_up
from doorward.messages.outposts import StepUpRule


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("mfa ^/admin", {"path": "^/admin", "factor": "mfa", "max_age": "", "machines": False}),
        (
            "mfa minutes=15 ^/admin(/|$)",
            {"path": "^/admin(/|$)", "factor": "mfa", "max_age": "minutes=15", "machines": False},
        ),
        ("hours=1;minutes=30 /a b", {"path": "/a b", "factor": "", "max_age": "hours=1;minutes=30", "machines": False}),
        ("phr machines ^/keys", {"path": "^/keys", "factor": "phr", "max_age": "", "machines": True}),
        (r"mfa \.php$", {"path": r"\.php$", "factor": "mfa", "max_age": "", "machines": False}),
    ],
)
def test_a_rule_is_a_line(line: str, rule: dict[str, object]) -> None:
    """What is asked for stands before the path, and the form shows again what was written."""
    assert step_up.parsed(f"\n{line}\n\n") == [rule]
    assert step_up.line_of(rule) == line


@pytest.mark.parametrize(
    "line",
    [
        "^/admin",
        "mfa",
        "mffa ^/admin",
        "minutes=15 mfa2 ^/admin",
        "seconds=10 ^/admin",
        "minutes=x ^/admin",
        "mfa phr ^/admin",
        "mfa ^(a+)+$",
        "machines ^/admin",
        "mfa (?=x)",
    ],
)
def test_a_slip_of_the_pen_is_no_rule(line: str) -> None:
    """A rule that would guard nothing, or not what was meant, is refused with a reason."""  # S-212
    with pytest.raises(ValidationError):
        step_up.parsed(line)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        [[]],
        [{"path": "^/a"}],
        [{"path": "^/a", "factor": "sms"}],
        [{"path": "^/a", "factor": "mfa", "else": 1}],
        [{"path": "admin", "factor": "mfa"}],
        [{"path": "^/a\n^/b", "factor": "mfa"}],
        [{"path": "^/a", "max_age": 900}],
        [{"path": "^/a", "factor": "mfa", "machines": "no"}],
        [{"path": "^/a", "factor": "mfa"}] * 51,
    ],
)
def test_objects_are_checked_as_well(rules: object) -> None:
    """Over the API and in blueprints nothing passes that a form would refuse."""
    with pytest.raises(ValidationError):
        step_up.normalised(rules)


def test_what_the_outpost_is_told() -> None:
    """Our own tokens' words for a factor, and seconds."""
    rules = step_up.parsed("mfa minutes=15 ^/admin\nphr machines ^/keys")

    assert step_up.described(rules) == (
        StepUpRule("^/admin", ("mfa", "phr"), ("mfa",), 900.0),
        StepUpRule("^/keys", ("phr",), ("user",), 0.0, machines=True),
    )
