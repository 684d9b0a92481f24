"""A browser's cookies, with the reasons for which it drops one (RFC 6265 section 5.3, RFC 6265bis section 5.7)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """A cookie that the browser does not keep."""

    name: str
    code: str
    """A key of ``findings.REMEDIES``."""
    why: str


class Cookies:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Cookie] = {}

    def take(self, url: str, line: str) -> Dropped | None:
        """What a browser does with the ``Set-Cookie`` ``line`` of an answer from ``url``."""
        parts = urlsplit(url)
        host, tls = (parts.hostname or "").lower(), parts.scheme == "https"
        pair, *attributes = line.split(";")
        name, _, value = (part.strip() for part in pair.partition("="))
        said: dict[str, str] = {}
        for attribute in attributes:
            key, _, text = attribute.strip().partition("=")
            said[key.lower()] = text.strip()
        secure = "secure" in said
        domain = said.get("domain", "").lstrip(".").lower()
        if domain and host != domain and not host.endswith(f".{domain}"):
            return Dropped(name, "cookie_domain", f"its domain is {domain}, and the host is {host}")
        if domain and "." not in domain and domain != host:
            return Dropped(name, "cookie_domain", f"browsers keep no cookie for the whole of .{domain}")
        if secure and not tls and not _is_secure_anyway(host):
            return Dropped(name, "cookie_secure", f"it is Secure, and {parts.scheme}://{parts.netloc} is not")
        path = said.get("path", "") or "/"
        key_of_it = (name, domain or host, path)
        if said.get("max-age", "1").lstrip("-0") == "" or said.get("max-age", "").startswith("-"):
            self._kept.pop(key_of_it, None)
            return None
        self._kept[key_of_it] = Cookie(name, value, domain or host, not domain, path, secure)
        return None

    def of(self, url: str) -> list[Cookie]:
        """Those that a browser sends to ``url``."""
        parts = urlsplit(url)
        host, tls, path = (parts.hostname or "").lower(), parts.scheme == "https", parts.path or "/"
        return [
            cookie
            for cookie in self._kept.values()
            if (host == cookie.domain or (not cookie.host_only and host.endswith(f".{cookie.domain}")))
            and (tls or not cookie.secure or _is_secure_anyway(host))
            and (path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/"))
        ]


def _is_secure_anyway(host: str) -> bool:
    """Browsers take Secure cookies from this machine over plain http; Chromium does, and Firefox."""
    return host == "localhost" or host.endswith(".localhost")
