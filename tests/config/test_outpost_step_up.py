"""Step-up rules in the configuration of an outpost on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.test_outpost import MINIMAL, foreign, plan, wrong
from doorward.messages.outposts import StepUpRule


def with_rule(rule: str) -> str:
    return MINIMAL.replace("allow: {groups: [staff]}", f"allow: {{groups: [staff]}}\n    stepUp: [{rule}]")


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (
            "{path: ^/admin, factor: mfa, maxAge: 15m}",
            StepUpRule("^/admin", ("mfa", "phr", "phrh"), ("mfa",), 900.0),
        ),
        ("{path: ^/keys, factor: phr, machines: true}", StepUpRule("^/keys", ("phr", "phrh"), machines=True)),
        ("{path: ^/a, acrValues: [gold, silver]}", StepUpRule("^/a", ("gold", "silver"))),
        ("{path: ^/a, factor: mfa, amr: [otp]}", StepUpRule("^/a", ("mfa", "phr", "phrh"), ("otp",))),
    ],
)
def test_what_a_rule_becomes(tmp_path: Path, written: str, becomes: StepUpRule) -> None:
    """A factor is short for what issuers commonly say; their own words win."""
    [provider] = foreign(plan(tmp_path, with_rule(written))).providers

    assert provider.step_up == (becomes,)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{path: ^/admin}", "asks for nothing"),
        ("{path: ^/admin, maxAge: 10s}", "a minute at least"),
        ("{path: ^(a+)+$, factor: mfa}", "no expression that may run"),
        ('{path: ^/admin, acrValues: ["a b"]}', "a value of acr"),
        ("{path: ^/admin, factor: sms}", "factor"),
        ("{factor: mfa}", "path"),
    ],
)
def test_what_is_said_about_a_wrong_one(tmp_path: Path, written: str, said: str) -> None:
    """A rule that could not be judged by is no rule."""
    assert said in wrong(tmp_path, with_rule(written))
