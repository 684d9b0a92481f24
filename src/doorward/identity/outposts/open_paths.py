"""What ``skip_path_regex`` opens: judged with the very rules that the outpost uses, before anybody relies on them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.config.linear_pattern import BadPattern, LinearPattern
from doorward.config.skip_rules import ALLOW_MATCH_ALL, Opening, SkipRules
from doorward.config.step_up_rules import StepUpRules
from doorward.identity.outposts import step_up
from doorward.identity.outposts.models import ProxyProvider

MOST = 100
"""Paths that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What happens to a stranger who asks for ``path``."""

    path: str
    open: bool
    why: str
    step_up: str = ""
    """What the path asks of a login beyond the rest; empty: nothing."""


def require_usable(lines: str) -> None:
    """Raise ValidationError for rules that do not compile, or could take more than linear time (S-212)."""
    problems = []
    for line in lines.splitlines():
        if line.strip():
            try:
                LinearPattern(line.removeprefix(ALLOW_MATCH_ALL))
            except BadPattern as error:
                problems.append(f"“{line}” is not a regular expression that can be used here: {error}.")
    if problems:
        raise ValidationError({"skip_path_regex": problems})


def require_meant(provider: ProxyProvider) -> None:
    """Raise ValidationError for usable rules that open the front page or everything, and do not say so (S-211)."""
    problems = [
        f"“{line}” opens the application's front page, or all of it, to everybody. If that is meant, begin the line "
        f"with {ALLOW_MATCH_ALL}."
        for line in _lines(provider)
        if not line.startswith(ALLOW_MATCH_ALL) and _opens_all(line, provider)
    ]
    if problems:
        raise ValidationError({"skip_path_regex": problems})


def doubts(provider: ProxyProvider) -> list[str]:
    """What works and may open more than was meant, a sentence each (S-211)."""
    found = []
    for line in _lines(provider):
        if line.startswith(ALLOW_MATCH_ALL):
            found.append(f"the rule “{line}” may open all of the application to everybody")
        elif not _ANCHORED.match(line):
            found.append(f"the rule “{line}” is looked for anywhere in a path; begin it with ^ to say where")
    return found


_ANCHORED = re.compile(r"(?:\(\?[a-zA-Z]+\))?\(*(?:\^|\\A)")
_ANYWHERE = "/f7c1/93d2-nobody-has-this"


def _lines(provider: ProxyProvider) -> list[str]:
    return [line for line in provider.skip_path_regex.splitlines() if line.strip()]


def _opens_all(line: str, provider: ProxyProvider) -> bool:
    outside = urlsplit(provider.external_host)
    origin = f"{outside.scheme}://{outside.netloc}" if provider.mode == ProxyProvider.Mode.FORWARD_DOMAIN else ""
    rule = LinearPattern(line)
    return rule.matches(f"{origin}/") or rule.matches(origin + _ANYWHERE)


def preview(
    provider: ProxyProvider, paths: Iterable[str], rules: str | None = None, steps: list[step_up.Rule] | None = None
) -> list[Judged]:
    """Judge ``paths`` (paths, or whole URLs) by ``rules`` and ``steps``, or by those in force. Raises
    ValidationError."""
    text = provider.skip_path_regex if rules is None else rules
    require_usable(text)
    asking = provider.step_up_rules if steps is None else step_up.normalised(steps)
    compiled = SkipRules(text, provider.name), StepUpRules(step_up.described(asking), provider.name)
    asked = [path.strip() for path in paths if path.strip()]
    if len(asked) > MOST:
        raise ValidationError({"paths": [_("At most %(value)s paths at a time.") % {"value": MOST}]})
    return [_judged(*compiled, provider, path) for path in asked]


def _judged(rules: SkipRules, steps: StepUpRules, provider: ProxyProvider, asked: str) -> Judged:
    try:
        # What begins with a slash is a path, also //x.
        parts = SplitResult("", "", *asked.partition("?")[::2], "") if asked.startswith("/") else urlsplit(asked)
    except ValueError:
        return Judged(asked, open=False, why="this is no path")
    outside = urlsplit(provider.external_host)
    here = (
        f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else f"{outside.scheme}://{outside.netloc}"
    )
    path = parts.path or "/"
    if not path.startswith("/"):
        return Judged(asked, open=False, why="a path begins with a slash")
    origin = here.lower() if provider.mode == ProxyProvider.Mode.FORWARD_DOMAIN else ""
    wire = path.encode().decode("latin-1")  # as it comes in a request: one character a byte
    opening = rules.opening(wire, origin)
    why = rules.explained(wire, origin)
    if parts.query:
        why += "; the query does not count"
    wanted = step_up.asked(steps, wire, origin)
    if wanted and opening is Opening.OPEN:
        return Judged(asked, open=False, why=f"{why}, and a step-up rule shuts it", step_up=wanted)
    return Judged(asked, open=opening is Opening.OPEN, why=why, step_up=wanted)
