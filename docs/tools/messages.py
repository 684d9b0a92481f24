"""Collects the marked texts of the identity provider into the message files of all languages.

``make words`` runs it after texts have changed. New ones are added without a translation, those that nobody uses any
more are taken out, and what is translated stays as it is. Without gettext's programs: templates are read with Django's
own lexer, Python with ``ast``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.template.base import Lexer, Token, TokenType
from django.utils.text import smart_split
from django.utils.translation import trim_whitespace

from doorward.identity.languages.message_files import NAME, Message, compile_stale, read, write
from doorward.identity.languages.supported import LANGUAGES, LOCALE, SOURCE

IDENTITY = LOCALE.parent
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL_MARKS = {"ngettext", "ngettext_lazy"}
CONTEXT_MARKS = {"pgettext", "pgettext_lazy"}
FORMS_AND_PAGES = ("web/forms/", "web/pages/")
NAMED = {"label", "help_text", "title", "submit", "lead"}
"""In forms and pages texts that are given by these names are marked by them: the templates translate what they show."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that somebody marked."""

    source: str
    plural: str = ""
    context: str | None = None


def main() -> int:
    """Renew the files; say how much is left to translate."""
    texts = collect()
    left = 0
    for code, _ in LANGUAGES:
        if code != SOURCE:
            path = path_of(code)
            merged = merge(texts, read(path.read_text(encoding="utf-8")))
            path.write_text(write(merged), encoding="utf-8")
            missing = sum(not all(message.translations) for message in merged)
            print(f"{code}: {len(merged) - 1} texts, {missing} to translate")
            left += missing
    compile_stale(LOCALE)
    return 1 if left else 0


def path_of(code: str) -> Path:
    """The message file of a language (``zh-hans`` has the folder ``zh_Hans``)."""
    language, _, script = code.partition("-")
    return LOCALE / (f"{language}_{script.title()}" if script else language) / f"{NAME}.po"


def merge(texts: dict[Marked, list[str]], known: list[Message]) -> list[Message]:
    """The entries of a message file for these texts, with the translations that it has."""
    header, by_key = known[0], {message.key: message for message in known}
    forms = int(header.translations[0].partition("nplurals=")[2].partition(";")[0])
    merged = [header]
    for text, places in sorted(texts.items(), key=lambda item: (item[0].source, item[0].context or "")):
        entry = Message(text.source, ("",) * (forms if text.plural else 1), text.plural, text.context, tuple(places))
        kept = by_key.get(entry.key)
        if kept is not None and kept.plural == entry.plural:
            entry = replace(entry, translations=kept.translations, fuzzy=kept.fuzzy)
        merged.append(entry)
    return merged


def collect() -> dict[Marked, list[str]]:
    """Every marked text, and the files that it stands in."""
    found: dict[Marked, list[str]] = {}
    for path in sorted([*IDENTITY.rglob("*.html"), *IDENTITY.rglob("*.txt"), *IDENTITY.rglob("*.py")]):
        content = path.read_text(encoding="utf-8")
        place = path.relative_to(IDENTITY).as_posix()
        marked = list(in_python(content) if path.suffix == ".py" else in_template(content))
        if path.suffix == ".py" and place.startswith(FORMS_AND_PAGES):
            marked += by_name(content)
        for text in marked:
            places = found.setdefault(text, [])
            if place not in places:
                places.append(place)
    return found


def in_python(content: str) -> Iterator[Marked]:
    for node in ast.walk(ast.parse(content)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name in MARKS and texts and len(node.args) == 1:
            yield Marked(texts[0])
        elif name in PLURAL_MARKS and len(texts) > 1:
            yield Marked(texts[0], plural=texts[1])
        elif name in CONTEXT_MARKS and len(texts) > 1:
            yield Marked(texts[1], context=texts[0])


def by_name(content: str) -> Iterator[Marked]:
    """As ``{% translate label %}`` looks them up."""
    for node in ast.walk(ast.parse(content)):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            value = keyword.value
            if (
                keyword.arg in NAMED
                and isinstance(value, ast.Constant)
                and isinstance(value.value, str)
                and value.value
            ):
                yield Marked(value.value.replace("%", "%%"))


def in_template(content: str) -> Iterator[Marked]:
    tokens = iter(Lexer(content).tokenize())
    for token in tokens:
        parts = list(smart_split(token.contents)) if token.token_type == TokenType.BLOCK else []
        if parts and parts[0] in {"translate", "trans"} and parts[1][0] in "\"'":
            context = parts[parts.index("context") + 1][1:-1] if "context" in parts else None
            yield Marked(_unescaped(parts[1]), context=context)
        elif parts and parts[0] in {"blocktranslate", "blocktrans"}:
            yield _block(parts, tokens)
        elif token.token_type != TokenType.TEXT:
            yield from _arguments(token)


def _unescaped(literal: str) -> str:
    """As ``django.template.base.Variable`` looks it up."""
    quote = literal[0]
    return literal[1:-1].replace(f"\\{quote}", quote).replace("\\\\", "\\").replace("%", "%%")


def _block(opening: list[str], tokens: Iterator[Token]) -> Marked:
    """As ``django.templatetags.i18n.BlockTranslateNode`` builds it."""
    forms = [""]
    for token in tokens:
        if token.token_type == TokenType.TEXT:
            forms[-1] += token.contents.replace("%", "%%")
        elif token.token_type == TokenType.VAR:
            forms[-1] += f"%({token.contents})s"
        elif token.contents.strip() == "plural":
            forms.append("")
        elif token.token_type == TokenType.BLOCK:
            break
    if "trimmed" in opening:
        forms = [trim_whitespace(form) for form in forms]
    context = opening[opening.index("context") + 1][1:-1] if "context" in opening else None
    return Marked(forms[0], forms[1] if len(forms) > 1 else "", context)


def _arguments(token: Token) -> Iterator[Marked]:
    """``_("…")`` as an argument of another tag or filter."""
    for opening in ('_("', "_('"):
        for rest in token.contents.split(opening)[1:]:
            yield Marked(rest.partition(f"{opening[-1]})")[0].replace("%", "%%"))


if __name__ == "__main__":
    sys.exit(main())
