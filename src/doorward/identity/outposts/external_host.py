"""The outside URL of a protected application, in its one normal form (``contracts/outpost.md`` section 5.1)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

CALLBACK_PATH = "/outpost.goauthentik.io/callback"
CALLBACK_MARK = "?X-authentik-auth-callback=true"
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()+,=:@-]*[A-Za-z0-9_~!$&'()+,=:@-])*")
"""Who may enter hangs on it, so every server must understand the same (``outpost.site``)."""
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalised(url: str) -> str:
    """Scheme, host in lower case, port unless it is the scheme's, path; no ``/*``, slash, query or fragment at the end.

    People write ``https://app.example.com/*``: taken literally it would match nothing. Raises ValidationError.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise _wrong(_("Enter a valid URL.")) from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise _wrong(_("Enter a valid URL, beginning with http:// or https://."))
    if parts.username is not None or parts.password is not None:
        raise _wrong(_("A user name or password does not belong here."))
    path = parts.path.removesuffix("/*").rstrip("/")
    if "*" in host + path or not path.isprintable() or not path.isascii() or "\\" in path or " " in path:
        raise _wrong(_("One host, without wildcards or blanks."))
    if _PATH.fullmatch(path) is None:
        raise _wrong(_("A path of plain segments: what must be escaped could be read in more than one way."))
    suffix = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{_host(host)}{suffix}{path}"


def _host(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return f"[{address}]" if address.version == 6 else str(address)
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host.lower()
    except UnicodeError as error:
        raise _wrong(_("This is not a host name.")) from error
    if not all(label and label.replace("-", "a").replace("_", "a").isalnum() for label in ascii_host.split(".")):
        raise _wrong(_("This is not a host name."))
    return ascii_host


def redirect_uris(external_host: str) -> list[dict[str, str]]:
    """What the OAuth2 side of the provider accepts: exactly where its outpost receives the code."""
    urls = [external_host + CALLBACK_PATH + CALLBACK_MARK, external_host + CALLBACK_MARK]
    parts = urlsplit(external_host)
    if parts.path:
        # Outposts that join by RFC 3986 instead of appending leave the path out.
        urls.append(f"{parts.scheme}://{parts.netloc}{CALLBACK_PATH}{CALLBACK_MARK}")
    return [{"matching_mode": "strict", "url": url, "redirect_uri_type": "authorization"} for url in urls]


def covers(cookie_domain: str, external_host: str) -> bool:
    """Whether the host of ``external_host`` is ``cookie_domain`` or lies under it (with a dot between, S-308)."""
    host = urlsplit(external_host).hostname or ""
    domain = cookie_domain.strip().lower().removeprefix(".").removesuffix(".")
    return bool(domain) and (host == domain or host.endswith("." + domain))


def is_kept_by_browsers(cookie_domain: str) -> bool:
    """Whether a browser keeps cookies for this domain: it keeps none for an address or a whole top-level domain."""
    domain = cookie_domain.strip().lower().removeprefix(".").removesuffix(".")
    return _DOMAIN.fullmatch(domain) is not None and not domain.replace(".", "").isdigit()


def _wrong(text: str) -> ValidationError:
    return ValidationError({"external_host": [text]})
