"""Where a browser may be sent with a code: exact matching, with the two exceptions that the RFCs and operators need.

``strict`` is equality of strings (RFC 9700 section 4.1.3), except that a native application on a loopback address may
use any port (RFC 8252 section 7.3). ``regex`` matches the whole string, and is only accepted where the pattern pins
scheme and host: whatever stands there must be unable to match a slash, an at-sign or another name's dots (S-403).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from doorward.config.patterns import MAX_SUBJECT, BadPattern, compile_pattern

Purpose = Literal["authorization", "logout"]
_FORBIDDEN_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_PLAIN_URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
_REGEX_START = re.compile(r"\^?(?:http\(s\)\?|https\?|[a-z][a-z0-9-]*(?:\\\.[a-z0-9-]+)*):(?:\\?/){2}")
_REGEX_HOST_ATOM = re.compile(
    r"\\[.\-dw]|[A-Za-z0-9_:-]|\[[A-Za-z0-9_-]+\]|[+*?]|\{[0-9]+(?:,[0-9]*)?\}|\((?:\?:)?|\)|\||\."
)
_REGEX_EXTENSION = re.compile(r"\(\?(?!:)|\[\^?\]")
"""Flags, comments and named groups, and classes that begin with a bracket: nothing a redirect URI needs, and each a
way to make a scanner and the compiler disagree about where a group ends."""
_BARE_DOT = re.compile(r"(?<!\\)\.(?![*+?{])")


class BadRedirectUri(ValueError):
    """An entry that could send codes to somebody else; the message says why."""


@dataclass(frozen=True, slots=True)
class RedirectUri:
    """One registered entry."""

    url: str
    matching_mode: Literal["strict", "regex"] = "strict"
    redirect_uri_type: Purpose = "authorization"

    def matches(self, uri: str) -> bool:
        if self.matching_mode == "regex":
            return _matches_regex(self.url, uri)
        return self.url == uri or _same_but_loopback_port(self.url, uri)


def read(entries: object) -> tuple[RedirectUri, ...]:
    """The entries of ``OAuth2Provider.redirect_uris``. Raises BadRedirectUri for another shape."""
    if not isinstance(entries, list):
        raise BadRedirectUri(_("redirect URIs are a list"))
    return tuple(_read_entry(entry) for entry in entries)


def permitted(entries: object, uri: str, purpose: Purpose) -> bool:
    """Whether the browser may be sent to ``uri``. Without a registered entry nothing is: the first one seen is never
    learned (S-404). Schemes that run code are refused here again, whatever is registered (S-405)."""
    if not _is_safe(uri):
        return False
    return any(entry.matches(uri) for entry in read(entries) if entry.redirect_uri_type == purpose)


def is_page_of(entries: object, uri: str) -> bool:
    """Whether ``uri`` lies at the origin of one of the strict entries."""
    return _is_safe(uri) and origin_of(uri) in origins(entries)


def is_page_under(domain: str, entries: object, uri: str) -> bool:
    """Whether the host of ``uri`` is ``domain`` or lies under it, by whole labels (S-308), and the scheme is that of
    a strict entry. Ports do not matter: cookies are not told apart by them either."""
    if not domain or not _is_safe(uri):
        return False
    parts = urlsplit(uri)
    host = parts.hostname or ""
    schemes = {origin.partition(":")[0] for origin in origins(entries)}
    return parts.scheme in schemes and (host == domain or host.endswith("." + domain))


def check(entry: RedirectUri) -> tuple[str, ...]:
    """Warnings about an entry that is about to be saved. Raises BadRedirectUri if it must not be."""
    if entry.matching_mode == "regex":
        return _check_regex(entry.url)
    if not _is_safe(entry.url):
        raise BadRedirectUri(
            _("%(url)s is no absolute URI without fragment, user name and script scheme") % {"url": repr(entry.url)}
        )
    return ()


def origins(entries: object) -> frozenset[str]:
    """Origins of the strict entries: who may read our answers across origins (S-451)."""
    return frozenset(origin_of(entry.url) for entry in read(entries) if entry.matching_mode == "strict") - {""}


def origin_of(url: str) -> str:
    """``https://host[:port]``, or empty for anything but http and https."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def unique_origins(all_entries: Iterable[object]) -> frozenset[str]:
    return frozenset(origin for entries in all_entries for origin in origins(entries))


def _read_entry(entry: object) -> RedirectUri:
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        raise BadRedirectUri(_("a redirect URI is an object with the key url"))
    mode = entry.get("matching_mode", "strict")
    purpose = entry.get("redirect_uri_type", "authorization")
    if mode not in ("strict", "regex") or purpose not in ("authorization", "logout"):
        raise BadRedirectUri(_("matching_mode is strict or regex; redirect_uri_type is authorization or logout"))
    return RedirectUri(entry["url"], cast(Literal["strict", "regex"], mode), cast(Purpose, purpose))


def _is_safe(uri: str) -> bool:
    scheme = _SCHEME.match(uri)
    if scheme is None or scheme[1].lower() in _FORBIDDEN_SCHEMES or _PLAIN_URI.fullmatch(uri) is None:
        return False
    try:
        parts = urlsplit(uri)
        has_user = parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        return False
    return not has_user and (parts.scheme not in ("http", "https") or bool(parts.hostname))


def _same_but_loopback_port(registered: str, uri: str) -> bool:
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(uri)
    return ours is not None and theirs is not None and ours.groups() == theirs.groups()


def _matches_regex(pattern: str, uri: str) -> bool:
    # A pattern like /cb/.* must not be left through /cb/../evil, which browsers resolve before they ask.
    if len(uri) > MAX_SUBJECT or _DOT_SEGMENT.search(urlsplit(uri).path):
        return False
    try:
        return _compiled(pattern).fullmatch(uri) is not None
    except BadPattern:
        return False


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    start, host, rest = _split_regex(pattern)
    if host is None:
        raise BadPattern("does not pin scheme and host")
    return compile_pattern(f"{start}{_BARE_DOT.sub(lambda _: chr(92) + '.', host)}{rest}")


def _check_regex(pattern: str) -> tuple[str, ...]:
    host, rest = _split_regex(pattern)[1:]
    if host is None:
        raise BadRedirectUri(
            _("%(pattern)s must begin with a scheme and a host that it spells out, like https://app\\.example\\.com/.*")
            % {"pattern": repr(pattern)}
        )
    try:
        _compiled(pattern)
    except BadPattern as error:
        raise BadRedirectUri(f"{pattern!r} {error}") from error
    warnings = []
    if _BARE_DOT.search(host):
        warnings.append(f"{pattern!r}: a dot in the host is taken for a dot; write it as \\.")
    if _BARE_DOT.search(rest):
        warnings.append(f"{pattern!r}: an unescaped dot matches any character; write \\. if a dot is meant")
    return tuple(warnings)


def _split_regex(pattern: str) -> tuple[str, str | None, str]:
    """The pattern's scheme, host and rest; the host is None where it is not pinned."""
    start = _REGEX_START.match(pattern)
    if start is None or start[0].lstrip("^").split(":")[0].lower() in _FORBIDDEN_SCHEMES:
        return "", None, ""
    if _REGEX_EXTENSION.search(pattern) or _has_open_choice(pattern):
        return "", None, ""
    position, depth = start.end(), 0
    while position < len(pattern) and pattern[position] not in "/$" and not pattern.startswith("\\/", position):
        atom = _REGEX_HOST_ATOM.match(pattern, position)
        if atom is None or (atom[0] == "." and pattern[atom.end() : atom.end() + 1] in {"*", "+", "?", "{"}):
            return "", None, ""
        depth += atom[0].startswith("(") - (atom[0] == ")")
        position = atom.end()
    host = pattern[start.end() : position]
    return (start[0], host, pattern[position:]) if host and depth == 0 else ("", None, "")


def _has_open_choice(pattern: str) -> bool:
    """Whether a ``|`` stands outside of all groups, where it would make the pinned part optional."""
    depth, in_class, position = 0, False, 0
    while position < len(pattern):
        char = pattern[position]
        if char == "\\":
            position += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "|" and depth == 0:
            return True
        depth += (char == "(" and not in_class) - (char == ")" and not in_class)
        position += 1
    return False
