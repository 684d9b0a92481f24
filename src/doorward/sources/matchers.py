"""What the matchers of the rule language mean: a name and a value become the leaf of a rule.

Host names become the spelling that requests carry: lower case, A-labels (S-218).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from doorward.config.problems import NOT_YET, nearest
from doorward.messages.routing import Host, Method, Path, PathPrefix, Rule

_MATCHERS = ("Host", "Path", "PathPrefix", "Method")
_OTHERS = ("HostRegexp", "PathRegexp", "Header", "HeaderRegexp", "Query", "QueryRegexp", "ClientIP", "Headers")
_label = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_method = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}", re.ASCII)
_no_path = re.compile(r"[\x00-\x1f\x7f?#]")

Value = tuple[str, int]
"""A value and its position in the rule."""


class Wrong(Exception):
    """Something in a rule that has no meaning, and the position of what says it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def matcher(name: str, position: int, values: Sequence[Value]) -> Rule:
    """The rule that the matcher ``name`` (at ``position``) makes of ``values``. Raises Wrong."""
    known = _spelled(name, _MATCHERS)
    if known is None:
        if _spelled(name, _OTHERS) is not None:
            raise Wrong(f"the matcher {name}: {NOT_YET}", position)
        hint = nearest(name, _MATCHERS)
        raise Wrong(f"there is no matcher {name}" + (f"; {hint}" if hint else ""), position)
    if len(values) != 1:
        raise Wrong(f"{known} takes one value, not {len(values)}; combine several with ||", position)
    value, position = values[0]
    if not value:
        raise Wrong(f"{known} needs a value", position)
    if known == "Host":
        return _host(value, position)
    if known == "Method":
        if not _method.fullmatch(value):
            raise Wrong("a method is one word such as GET", position)
        return Method(value.upper())
    if not value.startswith("/"):
        raise Wrong("a path starts with /", position)
    if _no_path.search(value):
        raise Wrong("a path has no control characters, ? or #", position)
    return Path(value) if known == "Path" else PathPrefix(value)


def _spelled(name: str, matchers: Sequence[str]) -> str | None:
    """Traefik takes four spellings: PathPrefix, pathprefix, PATHPREFIX, Pathprefix."""
    for matcher in matchers:
        if name in (matcher, matcher.lower(), matcher.upper(), matcher.capitalize()):
            return matcher
    return None


def _host(value: str, position: int) -> Rule:
    if value == "*":
        return PathPrefix("/")  # every request, one without a host included
    name = value.removesuffix(".")
    wildcard = name.startswith("*.")
    if wildcard:
        name = name[2:]
    if name.startswith("[") and name.endswith("]") and not wildcard:
        return Host(name.lower())
    try:
        labels = [_a_label(label) for label in name.split(".")]
    except UnicodeError as error:  # IDNAError is one
        raise Wrong(f"{value!r} is no host name: {error}", position) from None
    if not all(map(_label.fullmatch, labels)) or len(".".join(labels)) > 253:
        if ":" in value:
            raise Wrong("a host has no port: rules match the name alone", position)
        raise Wrong(f"{value!r} is no host name", position)
    return Host(("*." if wildcard else "") + ".".join(labels))


def _a_label(label: str) -> str:
    """Lower case and, if it has other letters than ASCII, the ``xn--`` form. Raises IDNAError."""
    lower = label.lower()
    if label.isascii() and not lower.startswith("xn--"):
        return lower
    import idna  # its tables weigh a megabyte, and few hosts need them

    if label.isascii():
        idna.ulabel(lower)
        return lower
    return idna.alabel(unicodedata.normalize("NFC", label.lower())).decode("ascii")
