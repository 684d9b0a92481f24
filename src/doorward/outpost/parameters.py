"""The query parameters of our own endpoints."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

MAX_PARAMETERS = 1000
"""``contracts/security.md`` section 3."""

_UNESCAPED_URL = re.compile(r"(?:^|&)rd=(https?://[^/?#&%]+[/?].*)$", re.ASCII)


_START = frozenset({"again", "step"})


class BadParameters(ValueError):
    """Too many parameters, or one of ours more than once (S-233)."""


def parse(query: str | None, own: frozenset[str]) -> dict[str, str]:
    """The parameters named in ``own``; others are not looked at. Raises BadParameters."""
    try:
        pairs = parse_qsl(query or "", keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise BadParameters("too many parameters") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in own:
            if name in found:
                raise BadParameters(f"{name} is given more than once")
            found[name] = value
    return found


def parse_start(query: str | None) -> dict[str, str]:
    """``rd``, ``again`` and ``step``. Raises BadParameters.

    Stand-alone nginx cannot escape: it writes ``rd=https://host/a?b=1&c=2``. A value that begins with an unescaped
    URL and its path is therefore taken as it stands, to the end, so that nothing of the query is lost.
    """
    literal = _UNESCAPED_URL.search(query or "")
    if literal is None:
        return parse(query, _START | {"rd"})
    before = parse((query or "")[: literal.start()], _START)
    return {**before, "rd": literal[1]}
