"""Step-up by path, as administrators write it: checked before it is stored, tried before anybody relies on it, and put
into the words that the outpost judges by (``config.step_up_rules``).

A rule is stored as an object: ``path`` (a regular expression), ``factor`` (``mfa``, ``phr`` or empty), ``max_age`` (a
duration; empty: a login of any age) and ``machines`` (programs are let off). In forms it is a line: the words before
the path, which begins with ``^``, ``/``, ``(``, ``[``, ``.`` or a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from django.core.exceptions import ValidationError

from doorward.config.linear_pattern import BadPattern
from doorward.config.step_up_rules import StepUpRules, compiled
from doorward.identity import durations
from doorward.messages.outposts import StepUpRule

Rule = dict[str, Any]

MOST_RULES = 50
SHORTEST = 60.0
"""Seconds. What is over before a login has come back would be asked for again and again."""
LONGEST_PATH = 2000
_FIELDS = frozenset({"path", "factor", "max_age", "machines"})
_FACTORS = {
    "": ((), ()),
    "mfa": (("mfa", "phr"), ("mfa",)),
    # Of our own tokens alone: elsewhere "user" says less (RFC 8176 section 2).
    "phr": (("phr",), ("user",)),
}
"""What our tokens say in ``acr`` or ``amr`` once a factor was shown (``oauth2.acr``)."""
_PATH_BEGINS = re.compile(r"[\^/(\[.\\]")
_MACHINES = "machines"


def normalised(rules: object) -> list[Rule]:
    """``rules`` with all their fields. Raises ValidationError for what could not be judged by."""
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        raise ValidationError({"step_up_rules": [f"A list of at most {MOST_RULES} rules."]})
    made, problems = [], list[str]()
    for number, rule in enumerate(rules, 1):
        try:
            made.append(_normalised(rule))
        except ValidationError as error:
            problems += [f"Rule {number}: {message}" for message in error.messages]
    if problems:
        raise ValidationError({"step_up_rules": problems})
    return made


def _normalised(rule: object) -> Rule:
    if not isinstance(rule, dict) or not set(rule) <= _FIELDS:
        raise ValidationError(f"An object with {', '.join(sorted(_FIELDS))}.")
    path, factor = rule.get("path"), rule.get("factor") or ""
    max_age, machines = rule.get("max_age") or "", rule.get("machines", False)
    if not isinstance(path, str) or not path.strip() or len(path) > LONGEST_PATH or "\n" in path:
        raise ValidationError("It needs a path, a regular expression on one line.")
    if not isinstance(factor, str) or factor not in _FACTORS:
        raise ValidationError("A factor is mfa (any second factor) or phr (a passkey or security key).")
    if not isinstance(max_age, str) or not isinstance(machines, bool):
        raise ValidationError("max_age is a duration such as minutes=15, and machines is true or false.")
    seconds = durations.parse(max_age).total_seconds()
    if seconds and seconds < SHORTEST:
        raise ValidationError("The shortest max_age is a minute: a login must have time to come back.")
    if not factor and not seconds:
        raise ValidationError("It asks for nothing: it needs mfa, phr or a duration.")
    if _PATH_BEGINS.match(path) is None:
        raise ValidationError(f"A path begins with ^ or /, and “{path}” does not.")
    try:
        compiled(path)
    except BadPattern as error:
        text = f"“{path}” is not a regular expression that can be used here: {error}."
        raise ValidationError(text) from error
    return {"path": path, "factor": factor, "max_age": max_age if seconds else "", "machines": machines}


def described(rules: Iterable[Rule]) -> tuple[StepUpRule, ...]:
    """Stored rules, as the outpost judges by them."""
    made = []
    for rule in rules:
        acr, amr = _FACTORS[rule["factor"]]
        age = durations.parse(rule["max_age"]).total_seconds()
        made.append(StepUpRule(rule["path"], acr, amr, age, rule["machines"]))
    return tuple(made)


def asked(rules: StepUpRules, path: str, origin: str) -> str:
    """What ``path`` (one character a byte) asks for, and by which rules; empty for nothing."""
    applying = rules.applying(path, origin)
    return f"{rules.asked(applying)}: {rules.explained(applying)}" if applying else ""


def parsed(lines: str) -> list[Rule]:
    """Rules that are written a line each. Raises ValidationError."""
    rules, problems = [], list[str]()
    for line in lines.splitlines():
        if line.strip():
            try:
                rules.append(_parsed(line.strip()))
            except ValidationError as error:
                problems += [f"“{line.strip()}”: {message}" for message in error.messages]
    if problems:
        raise ValidationError(problems)
    return rules


def _parsed(line: str) -> Rule:
    rule: Rule = {"path": "", "factor": "", "max_age": "", "machines": False}
    rest = line
    while rest and _PATH_BEGINS.match(rest) is None:
        word, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        if word in _FACTORS and not rule["factor"]:
            rule["factor"] = word
        elif word == _MACHINES:
            rule["machines"] = True
        elif "=" in word and not rule["max_age"]:
            durations.parse(word)
            rule["max_age"] = word
        else:
            known = "mfa, phr, machines and a duration such as minutes=15"
            raise ValidationError(f"“{word}” is none of {known}. The path begins with ^ or /.")
    return _normalised({**rule, "path": rest})


def line_of(rule: Rule) -> str:
    """A stored rule as it is written in a form."""
    words = [rule["factor"], rule["max_age"], _MACHINES if rule["machines"] else "", rule["path"]]
    return " ".join(word for word in words if word)


def lines_of(rules: object) -> str:
    """Stored rules, a line each."""
    return "\n".join(line_of(cast(Rule, rule)) for rule in rules) if isinstance(rules, list) else ""
