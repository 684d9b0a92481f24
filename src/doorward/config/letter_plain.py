"""What remains of a letter's HTML for those who read plain text: its words, its line breaks, where its links lead."""

from __future__ import annotations

import re
from html.parser import HTMLParser

UNREAD = frozenset({"head", "style", "script", "title"})
LINES = frozenset({"br", "li", "tr"})
BLOCKS = frozenset(
    {"address", "article", "blockquote", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main"}
    | {"ol", "p", "pre", "section", "table", "ul"}
)


def plain(markup: str) -> str:
    """The text of ``markup``. A link's address follows its words, unless it is among them."""
    reader = _Words()
    reader.feed(markup)
    reader.close()
    text = re.sub(r"[^\S\n]+", " ", "".join(reader.words))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._unread: list[str] = []
        self._link = ""
        self._linked = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in UNREAD:
            self._unread.append(tag)
        elif tag in BLOCKS:
            self.words.append("\n\n")
        elif tag in LINES:
            self.words.append("\n- " if tag == "li" else "\n")
        elif tag == "img" and given.get("alt"):
            self.words.append(f" {given['alt']} ")
        elif tag == "a" and given.get("href"):
            self._link, self._linked = given["href"] or "", ""

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            del self._unread[self._unread.index(tag) :]
        elif tag in BLOCKS:
            self.words.append("\n\n")
        elif tag == "a" and self._link:
            if self._link not in self._linked:
                self.words.append(f": {self._link} " if self._linked.strip() else self._link)
            self._link = ""

    def handle_data(self, data: str) -> None:
        if not self._unread:
            words = data.replace("\n", " ")
            self.words.append(words)
            self._linked += words
