"""How letters leave, said in one setting, a URL:

``smtp://user:password@mail.example.com:587?from=login@example.com``   STARTTLS, which the server must offer
``smtps://user:password@mail.example.com?from=login@example.com``      TLS from the first byte
``smtp://127.0.0.1:25?from=login@example.com&tls=no``                   without TLS, to this machine only
``file:///var/lib/doorward/mail?from=login@example.com``                a file for each letter
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_PORTS = {"smtp": 587, "smtps": 465}


class BadMailUrl(ValueError):
    """The setting says nothing that letters could be sent by; the text says why."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The setting, read."""

    kind: str
    """smtp, smtps or file."""
    sender: str
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = True
    folder: Path = Path()


def read_mail_url(url: str) -> MailSettings:
    """Raises BadMailUrl."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadMailUrl(f"mail: {error}") from error
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if unknown := query.keys() - {"from", "tls"}:
        raise BadMailUrl(f"mail: unknown option {', '.join(sorted(unknown))}; there are from and tls")
    sender = query.get("from", "")
    if sender.count("@") != 1 or any(character <= " " for character in sender):
        raise BadMailUrl("mail: say who the letters come from, as in ?from=login@example.com")
    if parts.scheme == "file":
        if not parts.path.startswith("/") or parts.netloc:
            raise BadMailUrl("mail: a folder is written file:///absolute/path")
        return MailSettings("file", sender, folder=Path(unquote(parts.path)))
    return _smtp(url, sender, tls=query.get("tls", "yes") != "no")


def _smtp(url: str, sender: str, *, tls: bool) -> MailSettings:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadMailUrl("mail: write smtp://host, smtps://host or file:///folder")
    if not tls and not _is_this_machine(parts.hostname):
        raise BadMailUrl("mail: tls=no is for a mail server on this machine only")
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise BadMailUrl(f"mail: {error}") from error
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailSettings(parts.scheme, sender, parts.hostname, port, username, password, tls)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
