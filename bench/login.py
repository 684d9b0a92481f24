"""A real login without a browser on the screen: redirects, cookies, and the flow executor's JSON.

The visitor asks the application for a page, is sent to the identity provider, answers what the login flow asks, and
comes back with a session cookie of the application's host: exactly what happens in a browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from peers.questions import Answer, ask
from soft_key import SoftKey

NAVIGATION = (
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
)
_FLOW = "/if/flow/"
_MOST_REDIRECTS = 12


@dataclass
class Visitor:
    """Keeps cookies by host, and follows redirects."""

    ports: Mapping[str, int]
    """Where hosts without a port in their URL are reached."""
    address: str = ""
    """Where it comes from, if that matters."""
    patience: float = 20.0
    """Seconds to wait for an answer."""
    jars: dict[str, dict[str, str]] = field(default_factory=dict)

    def log_in(
        self,
        url: str,
        username: str,
        password: str,
        code: Callable[[], str] | None = None,
        passkey: SoftKey | None = None,
    ) -> str:
        """Visit ``url``, log in where that leads, and return to it. The application's session cookie, as
        ``name=value``. Raises RuntimeError that says where it ended when it did not work. ``code`` gives what an
        authenticator app shows, where the flow asks for that. With a ``passkey``, it is shown instead of a name."""
        at, answer = self.visit(url)
        if _FLOW not in at:
            raise RuntimeError(f"{url} did not lead to a login but to {at} with {answer.status}")
        at, answer = self.visit(urljoin(at, self._flow(at, username, password, code, passkey)))
        if answer.status != 200 or urlsplit(at).netloc != urlsplit(url).netloc:
            raise RuntimeError(f"the login ended with {answer.status} at {at[:90]}: {_said(answer)}")
        for name, value in self.jars.get(urlsplit(url).netloc, {}).items():
            if name.startswith("authentik_proxy_"):
                return f"{name}={value}"
        raise RuntimeError("the login gave no session cookie")

    def visit(self, url: str) -> tuple[str, Answer]:
        """Where the redirects from ``url`` end, and what is there."""
        for _ in range(_MOST_REDIRECTS):
            answer = self.ask(url, headers=NAVIGATION)
            if answer.status not in (301, 302, 303, 307):
                return url, answer
            url = urljoin(url, answer.one("Location"))
        raise RuntimeError(f"too many redirects; the last one went to {url}")

    def ask(
        self, url: str, method: str = "GET", headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> Answer:
        """One request with the host's cookies."""
        host = urlsplit(url).netloc
        jar = self.jars.setdefault(host, {})
        if jar:
            headers = (*headers, ("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
        answer = ask(
            url,
            method=method,
            headers=headers,
            body=body,
            port=self.ports.get(host),
            timeout=self.patience,
            source=self.address,
        )
        for cookie in answer.all("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        return answer

    def _flow(
        self, page: str, username: str, password: str, code: Callable[[], str] | None, passkey: SoftKey | None
    ) -> str:
        """Answer the login flow of a page; where it leads then."""
        parts = urlsplit(page)
        slug = parts.path.removeprefix(_FLOW).strip("/")
        executor = f"{parts.scheme}://{parts.netloc}/api/v3/flows/executor/{slug}/?query={quote(parts.query, safe='')}"
        challenge = self.challenge(executor)
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "ak-stage-identification": lambda: {"uid_field": username},
            "ak-stage-password": lambda: {"password": password},
        }
        if passkey is not None:
            asked, origin = challenge["passkey_challenge"], f"{parts.scheme}://{parts.netloc}"
            answers = {"ak-stage-identification": lambda: {"passkey": passkey.assertion(asked, origin)}}
        if code is not None:
            answers["ak-stage-authenticator-validate"] = lambda: {"code": code()}
        while (answer := answers.pop(challenge["component"], None)) is not None:
            challenge = self.challenge(executor, {"component": challenge["component"], **answer()})
        if challenge["component"] != "xak-flow-redirect":
            raise RuntimeError(f"the login flow does not go on: {challenge}")
        return str(challenge["to"])

    def challenge(self, executor: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the flow asks next, after an answer if one is given."""
        headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
        if values is not None:
            parts = urlsplit(executor)
            origin = f"{parts.scheme}://{parts.netloc}"
            token = next(v for k, v in self.jars[parts.netloc].items() if k.endswith("doorward_csrf"))
            posted = (*headers, ("Content-Type", "application/json"), ("Origin", origin), ("X-authentik-CSRF", token))
            answer = self.ask(executor, "POST", posted, json.dumps(values).encode())
            if answer.status == 200:
                return dict(json.loads(answer.body))
            if answer.status != 302:
                raise RuntimeError(f"the flow answered {answer.status}: {answer.body[:300]!r}")
        answer = self.ask(executor, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"the flow answered {answer.status}: {answer.body[:300]!r}")
        return dict(json.loads(answer.body))


def _said(answer: Answer) -> str:
    """The words of a page, the beginning of them."""
    words = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", answer.body.decode(errors="replace"), flags=re.DOTALL)
    return " ".join(words.split())[:300]
