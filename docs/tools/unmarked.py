"""Finds what a person would read in a template and nobody has marked for translation."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.template.base import Lexer, TokenType
from django.utils.text import smart_split

READ_OUT = {"alt", "aria-label", "title", "placeholder"}
UNREAD = {"script", "style", "code", "svg"}
_WORD = re.compile(r"[^\W\d_]{2,}")


def unmarked(template: str) -> list[str]:
    """The texts, and the attributes that are read out, that stand there outside of any mark."""
    found = _Texts()
    found.feed(_without_tags(template))
    found.close()
    return found.texts


def _without_tags(template: str) -> str:
    """The HTML between the tags of Django; what is marked, or comes from a variable, is nothing here."""
    kept, marked, block = "", False, ""
    for token in Lexer(template).tokenize():
        name = token.contents.split(maxsplit=1)[0] if token.contents.strip() else ""
        if token.token_type == TokenType.BLOCK and name in {"blocktranslate", "endblocktranslate"}:
            marked = name == "blocktranslate"
        elif token.token_type == TokenType.BLOCK and name in {"block", "endblock"}:
            block = token.contents.split()[1] if name == "block" else ""
        elif token.token_type == TokenType.TEXT and not marked and block not in CODE_BLOCKS:
            kept += token.contents
        elif token.token_type == TokenType.BLOCK and name == "include":
            # Texts that are handed over: with button="Continue"
            given = [part.partition("=") for part in smart_split(token.contents)]
            kept += "".join(f"<p>{value[1:-1]}</p>" for key, _, value in given if key in GIVEN and value[:1] in "\"'")
    return kept


CODE_BLOCKS = {"shell", "columns", "cancel"}
"""Blocks of ours that hold a class or an address."""
GIVEN = {"button", "suggestion", "hint", "text", "title", "label"}


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNREAD:
            self._inside.append(tag)
        self.texts += [value for name, value in attrs if name in READ_OUT and value and _WORD.search(value)]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside and _WORD.search(data):
            self.texts.append(data.strip())
