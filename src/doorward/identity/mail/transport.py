"""Sends a letter: by SMTP, or into a folder for development, as ``config.mail`` says."""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from typing import TYPE_CHECKING

from doorward.config.mail import MailSettings, read_mail_url

if TYPE_CHECKING:
    from smtplib import SMTP

TIMEOUT = 15.0
"""Seconds for each step of the conversation with a mail server."""


@dataclass(frozen=True, slots=True)
class MailTransport:
    """Where letters go."""

    settings: MailSettings

    @property
    def sender(self) -> str:
        return self.settings.sender

    def send(self, message: EmailMessage) -> None:
        """Raises OSError (smtplib's errors are) when it cannot be sent now."""
        if self.settings.kind == "file":
            self._write(message)
            return
        with self._server() as server:
            server.send_message(message)

    @contextlib.contextmanager
    def _server(self) -> Iterator[SMTP]:
        from smtplib import SMTP, SMTP_SSL

        context = ssl.create_default_context()
        if self.settings.kind == "smtps":
            connected: SMTP = SMTP_SSL(self.settings.host, self.settings.port, timeout=TIMEOUT, context=context)
        else:
            connected = SMTP(self.settings.host, self.settings.port, timeout=TIMEOUT)
        with connected as server:
            if self.settings.kind == "smtp" and self.settings.tls:
                server.starttls(context=context)  # raises where the server does not offer it
            if self.settings.username:
                server.login(self.settings.username, self.settings.password)
            yield server

    def _write(self, message: EmailMessage) -> None:
        self.settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{secrets.token_hex(4)}"
        part = self.settings.folder / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes())
        part.rename(self.settings.folder / f"{name}.eml")


@lru_cache(maxsize=4)
def read(url: str) -> MailTransport:
    """Raises BadMailUrl."""
    return MailTransport(read_mail_url(url))


def configured() -> MailTransport | None:
    """How letters leave; None where nobody said. Raises BadMailUrl."""
    from django.conf import settings

    return read(settings.MAIL) if settings.MAIL else None
