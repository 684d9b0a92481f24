"""What the person who started the program is told: progress, the panel when ready, and what went wrong."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

from doorward.messages.plan import FirstStart, Notice, Plan, Progress
from doorward.observe import log_lines

WIDTH = 78


class Announcer:
    def __init__(self, plan: Plan, elder: int = 0) -> None:
        """``elder``: process number of the supervisor from which this one takes over."""
        self._plan = plan
        self._elder = elder
        self._started = time.monotonic()
        self._password = plan.identity.bootstrap_password
        self._said_ready = False
        self._log = self._open_log()
        for warning in plan.warnings:
            self._say(f"warning: {warning}")

    def notice(self, notice: Notice) -> None:
        if isinstance(notice, Progress):
            self._say(notice.text)
        elif isinstance(notice, FirstStart):
            self._password = notice.password

    def ended(self, name: str, pid: int, status: int) -> None:
        self._warn(f"the {name} process ({pid}) ended with status {status}; starting it again")

    def failed(self, name: str, why: str) -> None:
        self._warn(f"{why}\ndoorward: stopping, because the {name} process cannot start")

    def taken_over(self, pid: int) -> None:
        self._say(f"process {pid} has taken over; finishing what is under way here")

    def not_taken_over(self, why: str) -> None:
        self._say(f"nothing was taken over: {why}")

    def ready(self) -> bool:
        """Everything answers. Said once; False afterwards."""
        if self._said_ready:
            return False
        self._said_ready = True
        seconds = time.monotonic() - self._started
        if self._elder:
            self._say(f"ready after {seconds:.1f} s; process {os.getpid()} takes over from {self._elder}")
        elif self._plan.demo is None:
            self._say(f"ready after {seconds:.1f} s; identity provider at {self._plan.identity.external_url}")
            if self._believed:
                self._say(f"proxies at {self._believed} may speak for their clients at port {self._plan.identity.port}")
                self._say("(the default; entryPoints.identity.forwardedHeaders.trustedIPs names only those you have)")
            if self._password and not self._plan.identity.bootstrap_password:
                self._say(f"first administrator: akadmin, password {self._password} (told this once)")
        elif self._plan.demo.json:
            print(json.dumps(self._facts()), flush=True)  # noqa: T201
        else:
            print(self._panel(seconds), flush=True)  # noqa: T201
        return True

    @property
    def _believed(self) -> str:
        """Whose ``X-Forwarded-*`` count at the identity entry point although nobody named them (S-129); empty when it
        has its own list, or when only this machine reaches it."""
        for point in self._plan.entry_points:
            if point.port == self._plan.identity.port and point.host not in ("127.0.0.1", "::1", "localhost"):
                return "loopback and private addresses" if point.trusted_by_default else ""
        return ""

    def _facts(self) -> dict[str, object]:
        assert self._plan.demo is not None
        return {
            "urls": {
                "whoami": self._plan.demo.whoami_url,
                "identity": self._plan.identity.external_url,
                "identity_plain": f"http://127.0.0.1:{self._plan.identity.port}",
            },
            "username": "akadmin",
            "password": self._password or None,
            "token": self._plan.identity.bootstrap_token or None,
            "ca": str(Path(self._plan.state_folder) / "ca" / "ca.pem"),
            "data": self._plan.state_folder,
            "pid": os.getpid(),
        }

    def _panel(self, seconds: float) -> str:
        assert self._plan.demo is not None
        data = self._plan.state_folder
        password = self._password or "as on the first start (--reset starts afresh)"
        lines = [
            f"Doorward is ready ({seconds:.1f} s).",
            "",
            f"  Protected application   {self._plan.demo.whoami_url}",
            f"  Identity provider       {self._plan.identity.external_url}",
            "  Administrator           akadmin",
            f"  Password                {password}",
            "",
            "Try next:",
            f"  1. Open {self._plan.demo.whoami_url} and log in.",
            f"  2. See the redirect that strangers get: curl -ik {self._plan.demo.whoami_url}",
            f"  3. Protect your own application: {self._plan.identity.external_url}/if/admin/protect/",
            f"  4. Stop the browser's certificate warning: doorward ca --install --data {data}",
            f"  5. Read or change the routes, they reload at once: {data}/routes.yml",
            "",
            "Ctrl-C stops everything.",
        ]
        if self._believed:
            lines += [
                "",
                f"Proxies at {self._believed} may speak for their clients",
                f"at port {self._plan.identity.port}: the default of forwardedHeaders.trustedIPs.",
            ]
        rule = "─" * WIDTH
        return "\n".join([rule, *lines, rule])

    def reopen_log(self) -> None:
        """The log file was moved away."""
        if self._log is not None:
            self._log.close()
            self._log = self._open_log()

    def _open_log(self) -> logging.FileHandler | None:
        """The file that the other processes write to; None where their log goes to standard error as our words do.
        Raises OSError."""
        if not self._plan.log.file:
            return None
        handler = logging.FileHandler(self._plan.log.file, encoding="utf-8")
        handler.setFormatter(log_lines.PlainLines() if self._plan.log.format == "common" else log_lines.JsonLines())
        return handler

    def _warn(self, text: str) -> None:
        """To whoever started the program, and into its log."""
        self._say(text)
        if self._log is not None:
            self._log.emit(logging.LogRecord("doorward.supervisor", logging.WARNING, "", 0, text, (), None))

    def _say(self, text: str) -> None:
        print(f"doorward: {text}", file=sys.stderr, flush=True)  # noqa: T201
