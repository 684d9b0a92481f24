"""A mail server that keeps what it is given; speaks as much SMTP as one letter needs."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuses: bool = False
    """Whether it answers that it cannot take letters now."""


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """On a free port of loopback, without TLS."""
    kept = MailServer()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say(b"220 mail.example.test ESMTP")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self._say(b"354 go on")
                    self._keep()
                elif verb == b"QUIT":
                    self._say(b"221 bye")
                    return
                elif verb == b"MAIL" and kept.refuses:
                    self._say(b"451 not now")
                else:
                    if verb == b"RCPT":
                        kept.recipients.append(line.decode().partition("<")[2].partition(">")[0])
                    self._say(b"250 ok")

        def _keep(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            message = message_from_bytes(b"".join(lines), policy=policy.default)
            kept.letters.append(message)
            self._say(b"250 kept")

        def _say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        kept.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        server.shutdown()
