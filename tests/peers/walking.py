"""A browser without scripts, on real sockets: keeps cookies, follows redirects, fills in the login, presses buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from peers.program import PASSWORD
from peers.questions import Answer, ask

REDIRECTS = (301, 302, 303)
MOST = 30


@dataclass
class Walker:
    """One person's browser, who logs in as ``username`` whenever asked to."""

    ca: Path
    username: str = "akadmin"
    password: str = PASSWORD
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)
    """By host and name."""

    def get(self, url: str) -> Answer:
        return self._ask("GET", url)

    def post(self, url: str, **fields: str) -> Answer:
        return self._ask("POST", url, fields)

    def go(self, url: str, until: str) -> str:
        """Follow redirects, logging in where asked, to the first address under ``until``, which is not opened."""
        for _ in range(MOST):
            if url.startswith(until):
                return url
            answer = self.get(url)
            if answer.status in REDIRECTS:
                url = urljoin(url, answer.one("Location"))
                continue
            url = self._pressed(url, answer)
        raise AssertionError(f"never came to {until}, but to {url}")

    def press(self, url: str, page: Answer, **fields: str) -> Answer:
        """Send the first form of ``page``, with what it carries by itself."""
        form = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert form, page.text[:2000]
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        to = urljoin(url, unescape(form[1]))
        return self.post(to, **{name: unescape(value) for name, value in hidden}, **fields)

    def _pressed(self, url: str, page: Answer) -> str:
        assert page.status == 200, f"{url}: {page.status} {page.text[:1000]}"
        fields = {}
        if 'name="uid_field"' in page.text:
            fields["uid_field"] = self.username
        if 'type="password"' in page.text:
            fields["password"] = self.password
        answer = self.press(url, page, **fields)
        assert answer.status in REDIRECTS, f"{url}: {answer.status} {answer.text[:1000]}"
        return urljoin(url, answer.one("Location"))

    def _ask(self, method: str, url: str, fields: dict[str, str] | None = None) -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        sent = "; ".join(f"{name}={value}" for (at, name), value in self.cookies.items() if at == host)
        headers = [("Accept", "text/html"), ("Sec-Fetch-Site", "same-origin")]
        if sent:
            headers.append(("Cookie", sent))
        body = b""
        if fields is not None:
            body = urlencode(fields).encode()
            headers += [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Origin", f"{parts.scheme}://{parts.netloc}"),
                ("Referer", url),
            ]
        answer = ask(url, method=method, headers=headers, body=body, ca=self.ca)
        for cookie in answer.all("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if value and "Max-Age=0" not in cookie:
                self.cookies[host, name] = value
            else:
                self.cookies.pop((host, name), None)
        return answer
