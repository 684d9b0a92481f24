"""A browser as far as security cares: a cookie jar, redirects, forms; everything else is visible to the test."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from peers.questions import Answer, ask

_FORM = re.compile(r'<form[^>]*action="([^"]*)"')
_FIELD = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'(\w[\w-]*)="([^"]*)"')


@dataclass
class Visitor:
    """One browser profile."""

    ca: Path
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    """By host name (without port, as cookies are), then by cookie name."""
    trail: list[tuple[str, Answer]] = field(default_factory=list)
    """Every address visited and what it answered."""
    set_cookies: list[str] = field(default_factory=list)

    def get(self, url: str, *headers: tuple[str, str]) -> Answer:
        return self.send("GET", url, headers)

    def send(
        self,
        method: str,
        url: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        host = urlsplit(url).hostname or ""
        jar = self.cookies.setdefault(host, {})
        fields = list(headers)
        if not any(name.lower() == "accept" for name, _ in headers):
            fields.append(("Accept", "text/html"))
        if jar and not any(name.lower() == "cookie" for name, _ in headers):
            fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
        answer = ask(url, method=method, headers=fields, body=body, ca=self.ca)
        for line in answer.all("Set-Cookie"):
            self.set_cookies.append(line)
            pair, *attributes = line.split(";")
            name, _, value = pair.partition("=")
            if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
                jar.pop(name.strip(), None)
            else:
                jar[name.strip()] = value.strip()
        self.trail.append((url, answer))
        return answer

    def follow(self, url: str, answer: Answer) -> tuple[str, Answer]:
        """Redirects, until there is none."""
        for _ in range(20):
            if answer.status not in (301, 302, 303, 307, 308):
                return url, answer
            url = urljoin(url, answer.one("Location"))
            answer = self.get(url)
        raise AssertionError(f"redirects without end: {[step for step, _ in self.trail[-20:]]}")

    def open(self, url: str) -> tuple[str, Answer]:
        return self.follow(url, self.get(url))

    def submit(self, url: str, page: Answer, *headers: tuple[str, str], **values: str) -> tuple[str, Answer]:
        """Fill in the page's form and send it, with the origin that a browser would state."""
        action, fields = form_of(page)
        fields.update(values)
        target = urljoin(url, action)
        parts = urlsplit(target)
        sent = self.send(
            "POST",
            target,
            (
                ("Origin", f"{parts.scheme}://{parts.netloc}"),
                ("Content-Type", "application/x-www-form-urlencoded"),
                *headers,
            ),
            urlencode(fields).encode(),
        )
        return self.follow(target, sent)

    def log_in(self, url: str, username: str, password: str) -> tuple[str, Answer]:
        """Open ``url`` and log in on the pages that it leads to."""
        place, page = self.open(url)
        assert "uid_field" in page.text, (place, page.status, page.text[:500])
        place, page = self.submit(place, page, uid_field=username)
        return self.submit(place, page, password=password)

    def cookie(self, host: str, prefix: str) -> tuple[str, str]:
        """Name and value of the one cookie of ``host`` whose name begins so."""
        [found] = [pair for pair in self.cookies.get(host, {}).items() if pair[0].startswith(prefix)]
        return found


def form_of(page: Answer) -> tuple[str, dict[str, str]]:
    """Action and fields of the page's first form with a token."""
    text = page.text
    begin = text.index("<form")
    part = text[begin : text.index("</form>", begin)]
    action = _FORM.search(part)
    fields: dict[str, str] = {}
    for tag in _FIELD.findall(part):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes:
            fields[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return html.unescape(action[1]) if action else "", fields
