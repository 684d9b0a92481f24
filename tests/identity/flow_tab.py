"""One tab of a browser at a flow page: reads the form, fills it in, follows where it leads."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import Any

from django.test import Client

LOGIN = "/if/flow/default-authentication-flow/"


class Tab:
    """A tab that is open at ``url``; several of them may share one ``browser``."""

    def __init__(self, browser: Client, url: str = LOGIN) -> None:
        self.browser = browser
        self.url = url
        self.text = ""
        self.response: Any = None
        """The last answer, as Django's test client gives it."""
        self.open(url)

    def open(self, url: str = "") -> Tab:
        """Go to ``url`` (or reload), following redirects within flow pages."""
        self.url = url or self.url
        self.response = self.browser.get(self.url)
        while self.response.status_code in (302, 303) and self.response["Location"].startswith("/if/flow/"):
            self.url = self.response["Location"]
            self.response = self.browser.get(self.url)
        self.text = unescape(self.response.content.decode())
        return self

    def hidden(self, name: str) -> str:
        """Value of a field that the form carries."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name} in {self.text}"
        return found[1]

    def has(self, name: str) -> bool:
        """Whether the form asks for this field."""
        return f'name="{name}"' in self.text

    def submit(self, **fields: str) -> str:
        """Send the form as it lies here. Answers where it leads; within flow pages it goes there."""
        kept = {name: self.hidden(name) for name in ("step", "token") if self.has(name)}
        self.response = self.browser.post(self.url, {**kept, **fields})
        assert self.response.status_code == HTTPStatus.SEE_OTHER, self.response.content.decode()
        to = str(self.response["Location"])
        if to.startswith("/if/flow/"):
            self.open(to)
            return str(self.response["Location"]) if self.response.status_code in (302, 303) else self.url
        return to

    def log_in(self, username: str, password: str) -> str:
        """Both pages of the default login."""
        self.submit(uid_field=username)
        return self.submit(password=password)
