"""One host with more than one application: which path belongs to whom.

The longest prefix wins, and a prefix ends at a slash. Who may enter depends on it, so a path counts only when every
server behind us must give it to the same application: it is looked at as it stands and in the most-decoded form that
any server could make of it, and both must lead to one answer. ``/%61dmin`` and ``//admin`` are not the way into what
stands under ``/admin`` with the rules of what stands under ``/``.
"""

from __future__ import annotations

import re
from unicodedata import normalize
from urllib.parse import unquote

from doorward.outpost.application import Application
from doorward.outpost.paths import is_under_prefix

_MAX_ROUNDS = 4
_MAX_PATH = 8192
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,=:@-](?:[A-Za-z0-9._~!$&'()*+,=:@-]*[A-Za-z0-9_~!$&'()*+,=:@-])?)*/?")
_PARAMETERS = re.compile(r";[^/]*")
_SLASHES = re.compile(r"[/\\]+")
_ONLY_DOTS = re.compile(r"/[. ]+(?:/|$)")
_TRAILING_DOTS = re.compile(r"[. ]+(?=/|$)")


class AmbiguousPath(Exception):
    """Servers could disagree about which application this path belongs to."""


class Site:
    """The applications of one host."""

    def __init__(self, own: list[Application], others: list[Application], domain: Application | None) -> None:
        """``own``: those of this very host and port. ``others``: those of the name on other ports; what is theirs is
        never the ``domain``'s, which gets what is left."""
        self._own = sorted(own, key=lambda application: -len(application.path))
        self._others = others
        self._domain = domain

    def at(self, path: str) -> Application | None:
        """The application that ``path`` belongs to. Raises AmbiguousPath."""
        literal = self._owner(path)
        if literal is not self._owner(_most_decoded(path), folded=True):
            raise AmbiguousPath
        if literal is None and is_under_prefix(path) and self._own:
            return self._own[0]  # which of them is meant is seen from the query: see ``answer``
        return literal

    def _owner(self, path: str, *, folded: bool = False) -> Application | None:
        for application in self._own:
            if _is_under(path, application.path, folded=folded):
                return application
        if any(_is_under(path, other.path, folded=folded) for other in self._others):
            return None
        return self._domain


def _is_under(path: str, prefix: str, *, folded: bool) -> bool:
    if folded:
        prefix = prefix.lower()
    return path.startswith(prefix) and (not prefix or len(path) == len(prefix) or path[len(prefix)] == "/")


def _most_decoded(path: str) -> str:
    """``path`` as the laxest server would read it: decoded to the end, in lower case, without parameters and dots."""
    if len(path) > _MAX_PATH:
        raise AmbiguousPath
    if _PLAIN.fullmatch(path):
        return path.lower()
    text = path
    for _ in range(_MAX_ROUNDS):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    else:
        raise AmbiguousPath
    text = _SLASHES.sub("/", _PARAMETERS.sub("", text))
    if _ONLY_DOTS.search(text):
        raise AmbiguousPath
    return normalize("NFKC", _TRAILING_DOTS.sub("", text)).casefold()
