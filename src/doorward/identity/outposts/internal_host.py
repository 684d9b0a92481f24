"""Where an application in proxy mode really is, as this program reaches it: scheme, host and port.

An administrator says it, so it may be any machine of theirs. What can only be a mistake or an attack is refused:
the application's own outside URL (a request would go round), addresses at which clouds hand out credentials
(S-650), and spellings of addresses that only some programs understand.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from doorward.identity.egress.addresses import METADATA_NAMES, is_nobodys

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
_ALMOST_AN_ADDRESS = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+))*")
_RANGES_OF_NOBODY = "This address cannot be an application’s: it is reserved for other purposes."


def normalised(url: str, external_host: str) -> str:
    """``scheme://host[:port]`` without a path: every request keeps its own. Raises ValidationError."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise _wrong(_("Enter a valid URL.")) from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise _wrong(_("Enter a valid URL, beginning with http:// or https://."))
    if parts.username is not None or parts.password is not None:
        raise _wrong(_("A user name or password does not belong here."))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong(_("Only scheme, host and port: the application gets the path that was asked for."))
    host = _checked(host)
    made = f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")
    outside = urlsplit(external_host)
    if _place(made) == (outside.hostname, outside.port or _DEFAULT_PORTS.get(outside.scheme)):
        raise _wrong(_("This is the outside URL itself: requests would go round for ever."))
    return made


def _place(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def _checked(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _name(host)
    if "%" in host or is_nobodys(address):
        raise _wrong(_RANGES_OF_NOBODY)
    return f"[{address}]" if address.version == 6 else str(address)


def _name(host: str) -> str:
    try:
        name = host.encode("idna").decode() if not host.isascii() else host.lower()
    except UnicodeError as error:
        raise _wrong(_("This is not a host name.")) from error
    if _ALMOST_AN_ADDRESS.fullmatch(name):
        raise _wrong(_("This address is not written as everybody writes it, such as 10.0.0.7."))
    if _NAME.fullmatch(name) is None:
        raise _wrong(_("This is not a host name."))
    if name in METADATA_NAMES:
        raise _wrong(_RANGES_OF_NOBODY)
    return name


def _wrong(text: str) -> ValidationError:
    return ValidationError({"internal_host": [text]})
