"""What a browser says it is, in the few words that people need to recognise their own sessions.

Nothing is decided by it, so a short table serves; what is not in it is called "Other".
"""

from __future__ import annotations

import re
from typing import Any

BROWSERS = (
    ("Edge", re.compile(r"Edg(?:A|iOS)?/(\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Opera", re.compile(r"OPR/(\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Safari", re.compile(r"Version/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Safari/")),
    ("curl", re.compile(r"curl/(\d+)(?:\.(\d+))?(?:\.(\d+))?")),
)
SYSTEMS = (
    ("iOS", re.compile(r"(?:iPhone|iPad|iPod).*? OS (\d+)(?:_(\d+))?(?:_(\d+))?")),
    ("Android", re.compile(r"Android (\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Windows", re.compile(r"Windows NT (\d+)(?:\.(\d+))?(?:\.(\d+))?")),
    ("Mac OS X", re.compile(r"Mac OS X (\d+)(?:[_.](\d+))?(?:[_.](\d+))?")),
    ("Linux", re.compile(r"Linux()()()")),
)
Named = tuple[str, str | None, str | None, str | None]


def described(user_agent: str) -> dict[str, Any]:
    """Browser, system and device of a ``User-Agent`` header (at most its first 512 characters)."""
    text = user_agent[:512]
    browser, system = _first(BROWSERS, text), _first(SYSTEMS, text)
    return {
        "device": {"brand": None, "family": "Mobile" if "Mobile" in text else "Other", "model": None},
        "os": {
            "family": system[0],
            "major": system[1],
            "minor": system[2],
            "patch": system[3],
            "patch_minor": None,
        },
        "user_agent": {
            "family": browser[0],
            "major": browser[1] or "",
            "minor": browser[2] or "",
            "patch": browser[3] or "",
        },
        "string": user_agent,
    }


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> Named:
    for family, pattern in table:
        if match := pattern.search(text):
            major, minor, patch = (group or None for group in match.groups())
            return family, major, minor, patch
    return "Other", None, None, None
