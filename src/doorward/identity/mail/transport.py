"""How letters leave: by SMTP, or into a folder for development. One setting says which, as a URL:

``smtp://user:password@mail.example.com:587?from=login@example.com``   STARTTLS, which the server must offer
``smtps://user:password@mail.example.com?from=login@example.com``      TLS from the first byte
``smtp://127.0.0.1:25?from=login@example.com&tls=no``                   without TLS, to this machine only
``file:///var/lib/doorward/mail?from=login@example.com``                a file for each letter
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from smtplib import SMTP

TIMEOUT = 15.0
"""Seconds for each step of the conversation with a mail server."""
_PORTS = {"smtp": 587, "smtps": 465}


class BadMailUrl(ValueError):
    """The setting says nothing that letters could be sent by; the text says why."""


@dataclass(frozen=True, slots=True)
class MailTransport:
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

    def send(self, message: EmailMessage) -> None:
        """Raises OSError (smtplib's errors are) when it cannot be sent now."""
        if self.kind == "file":
            self._write(message)
            return
        with self._server() as server:
            server.send_message(message)

    @contextlib.contextmanager
    def _server(self) -> Iterator[SMTP]:
        from smtplib import SMTP, SMTP_SSL

        context = ssl.create_default_context()
        if self.kind == "smtps":
            connected: SMTP = SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
        else:
            connected = SMTP(self.host, self.port, timeout=TIMEOUT)
        with connected as server:
            if self.kind == "smtp" and self.tls:
                server.starttls(context=context)  # raises where the server does not offer it
            if self.username:
                server.login(self.username, self.password)
            yield server

    def _write(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{secrets.token_hex(4)}"
        part = self.folder / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
        part.rename(self.folder / f"{name}.eml")


@lru_cache(maxsize=4)
def read(url: str) -> MailTransport:
    """Raises BadMailUrl."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if unknown := query.keys() - {"from", "tls"}:
        raise BadMailUrl(f"mail: unknown option {', '.join(sorted(unknown))}; there are from and tls")
    sender = query.get("from", "")
    if sender.count("@") != 1 or any(character <= " " for character in sender):
        raise BadMailUrl("mail: say who the letters come from, as in ?from=login@example.com")
    if parts.scheme == "file":
        if not parts.path.startswith("/") or parts.netloc:
            raise BadMailUrl("mail: a folder is written file:///absolute/path")
        return MailTransport("file", sender, folder=Path(unquote(parts.path)))
    return _smtp(url, sender, tls=query.get("tls", "yes") != "no")


def _smtp(url: str, sender: str, *, tls: bool) -> MailTransport:
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
    return MailTransport(parts.scheme, sender, parts.hostname, port, username, password, tls)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def configured() -> MailTransport | None:
    """How letters leave; None where nobody said. Raises BadMailUrl."""
    from django.conf import settings

    return read(settings.MAIL) if settings.MAIL else None
