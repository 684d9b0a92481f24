"""The form of a page, as a person would fill it in and send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from doorward.doctor.browser import Seen


@dataclass
class Form:
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    """Type of each input that a person sees."""
    button: tuple[str, str] = ("", "")
    """Name and value of the last button: the most modest answer."""

    def asks_for(self, name: str) -> bool:
        return name in self.kinds

    def encoded(self) -> bytes:
        pairs = dict(self.fields)
        if self.button[0]:
            pairs[self.button[0]] = self.button[1]
        return urlencode(pairs).encode("ascii")


def form_of(seen: Seen) -> Form | None:
    """The first form of the page that is sent by POST."""
    reader = _Reader()
    reader.feed(seen.body)
    if reader.form is not None:
        reader.form.action = urljoin(seen.url, reader.form.action or seen.url)
    return reader.form


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.form is None and given.get("method", "").lower() == "post":
            self.form, self._inside = Form(given.get("action", "")), True
        if not self._inside or self.form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text").lower()
            if kind not in ("submit", "button", "checkbox", "radio"):
                self.form.fields[name] = given.get("value", "")
            if kind != "hidden" and "readonly" not in given:
                self.form.kinds[name] = kind
        if tag == "button" and name:
            self.form.button = (name, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
