"""A browser at the pages behind the login: reads pages, sends forms with the token of its session."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

from identity.flow_tab import Tab

ORIGIN = "https://auth.example.test"


class Visitor:
    """One browser, logged in or not. Forms without a valid token are refused, as in earnest."""

    def __init__(self, username: str = "", password: str = "") -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.answer: Any = HttpResponse()
        if username:
            self._log_in(username, password)

    def _log_in(self, username: str, password: str) -> None:
        self.client.handler.enforce_csrf_checks = False
        Tab(self.client).log_in(username, password)
        self.client.handler.enforce_csrf_checks = True

    @property
    def text(self) -> str:
        """What the last page says, entities resolved."""
        return unescape(self.raw)

    @property
    def raw(self) -> str:
        content: bytes = self.answer.content
        return content.decode()

    def get(self, path: str) -> Any:
        """Open a page; redirects are not followed."""
        self.answer = answer = self.client.get(path)
        return answer

    def open(self, path: str) -> str:
        """Open a page that is there, and read it."""
        assert self.get(path).status_code == 200, self.text
        return self.text

    def send(self, path: str, at: str = "", **fields: object) -> Any:
        """Send the form of the page ``at`` (the same path, unless given) to ``path``."""
        page = self.client.get(at or path).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page
        form = {**fields, "csrfmiddlewaretoken": token[1]}
        self.answer = answer = self.client.post(path, form, headers={"Origin": ORIGIN})
        return answer

    def succeed(self, path: str, at: str = "", **fields: object) -> str:
        """Send a form that is accepted, follow its redirect, and read the page that follows."""
        answer = self.send(path, at, **fields)
        assert answer.status_code == 303, self.text
        return self.open(answer["Location"])
