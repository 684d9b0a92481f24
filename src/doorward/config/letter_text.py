"""The language of letters' own templates: text with ``{{ name }}`` and ``{% if name %}``, and nothing else.

A template is data. It cannot call, load, include or look inside anything; it sees plain texts under names that are
known beforehand, and whatever those hold is put in once and never read as a template again (S-531). In HTML each is
escaped, and may stand only where escaping is enough: in text, or in a quoted attribute that is neither a style nor a
script; addresses only from what the program itself has made.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from doorward.config.problems import nearest

ADDRESSES = ("url", "logo", "site")
"""Variables that hold an address of the program's own making."""

_TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})")
_OPENING = re.compile(r"\{[{%#]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ATTRIBUTE = re.compile(r"""([A-Za-z][A-Za-z0-9:-]*)\s*=\s*("[^"]*|'[^']*)\Z""")
_TAKES_ADDRESS = frozenset({"href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite"})
KNOWN = "there are {{ variable }}, {% if variable %}, {% else %}, {% endif %} and {# comments #}"


class Wrong(Exception):
    """Something in a template that is not understood; the line is counted from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(slots=True)
class Condition:
    """One text where the variable holds something, another where it is empty."""

    name: str
    line: int
    then: list[Part] = field(default_factory=list)
    otherwise: list[Part] | None = None


Part = str | Variable | Condition


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[Part, ...]

    def filled(self, values: Mapping[str, str], *, escaped: bool) -> str:
        """The text, with ``values`` in the places of their names; escaped for HTML or as they are."""
        return "".join(_filled(self.parts, values, escaped))

    @property
    def always(self) -> frozenset[str]:
        """The variables that are shown whatever the others hold."""
        return frozenset(part.name for part in self.parts if isinstance(part, Variable))

    @property
    def used(self) -> frozenset[str]:
        """Every variable that is shown in some case."""
        return frozenset(_used(self.parts))


def read(text: str, variables: Collection[str], *, markup: bool, first_line: int = 1) -> tuple[Template, list[Wrong]]:
    """The template that ``text`` is, and everything that is wrong with it. ``markup``: it is HTML."""
    reader = _Reader(variables, markup, first_line)
    for token in _TOKEN.split(text):
        try:
            reader.take(token)
        except Wrong as wrong:
            reader.wrong.append(wrong)
        reader.line += token.count("\n")
    for condition in reader.open:
        reader.wrong.append(Wrong("{% if %} without its {% endif %}", condition.line))
    return Template(tuple(reader.parts)), reader.wrong


class _Reader:
    def __init__(self, variables: Collection[str], markup: bool, first_line: int) -> None:
        self.parts: list[Part] = []
        self.open: list[Condition] = []
        self.wrong: list[Wrong] = []
        self.line = first_line
        self._variables = variables
        self._markup = markup
        self._before = ""
        """What stands before, a letter for each variable: says whether we are inside a tag."""

    def take(self, token: str) -> None:
        """Raises Wrong."""
        if token.startswith("{{"):
            name = self._known(token[2:-2].strip())
            if self._markup:
                self._require_place(name)
            self._add(Variable(name))
            self._before += "x"
        elif token.startswith("{%"):
            self._tag(token[2:-2].split())
        elif not token.startswith("{#"):
            if opening := _OPENING.search(token):
                at = self.line + token.count("\n", 0, opening.start())
                raise Wrong(f"{opening[0]} is not closed on its line; {KNOWN}", at)
            if self._markup and (at := token.lower().find("<script")) >= 0:
                raise Wrong("programs that show mail run no scripts", self.line + token.count("\n", 0, at))
            self._before += token
            self._add(token)

    def _add(self, part: Part) -> None:
        if not self.open:
            self.parts.append(part)
        elif self.open[-1].otherwise is not None:
            self.open[-1].otherwise.append(part)
        else:
            self.open[-1].then.append(part)

    def _tag(self, words: list[str]) -> None:
        match words:
            case ["if", name]:
                condition = Condition(self._known(name), self.line)
                self._add(condition)
                self.open.append(condition)
            case ["else"] if self.open and self.open[-1].otherwise is None:
                self.open[-1].otherwise = []
            case ["endif"] if self.open:
                self.open.pop()
            case ["else" | "endif"]:
                raise Wrong(f"{{% {words[0]} %}} without its {{% if %}}", self.line)
            case ["if", *_]:
                raise Wrong("{% if %} takes one variable, and asks whether it holds anything", self.line)
            case _:
                raise Wrong(f"{{% {words[0] if words else ''} %}} is not known here; {KNOWN}", self.line)

    def _known(self, name: str) -> str:
        if name in self._variables:
            return name
        if "|" in name:
            raise Wrong(f"filters are not known here: write {{{{ {name.partition('|')[0].strip()} }}}}", self.line)
        if not _NAME.fullmatch(name) and "." not in name:
            raise Wrong(f"{name!r} is no variable; {KNOWN}", self.line)
        hint = nearest(name.replace(".", "_"), self._variables) or nearest(name.rpartition(".")[2], self._variables)
        possible = hint or f"possible here: {', '.join(self._variables)}"
        raise Wrong(f"there is no variable {name!r}; {possible}", self.line)

    def _require_place(self, name: str) -> None:
        before = self._before.lower()
        if before.rfind("<style") > before.rfind("</style"):
            raise Wrong("a style cannot hold a variable", self.line)
        if before.rfind("<") <= before.rfind(">"):
            return
        inside = _ATTRIBUTE.search(self._before[before.rfind("<") :])
        if inside is None:
            raise Wrong('inside a tag a variable stands in a quoted attribute, as in href="{{ url }}"', self.line)
        attribute, written = inside[1].lower(), inside[2][1:]
        if attribute == "style" or attribute.startswith("on"):
            raise Wrong(f"the attribute {attribute} cannot hold a variable", self.line)
        if attribute in _TAKES_ADDRESS and (name not in ADDRESSES or written.strip()):
            raise Wrong(f"{attribute} takes one of {', '.join(ADDRESSES)}, with nothing before it", self.line)


def _filled(parts: Collection[Part], values: Mapping[str, str], escaped: bool) -> Iterator[str]:
    for part in parts:
        match part:
            case Variable(name):
                yield html.escape(values[name]) if escaped else values[name]
            case Condition():
                chosen = part.then if values[part.name].strip() else part.otherwise or []
                yield from _filled(chosen, values, escaped)
            case _:
                yield part


def _used(parts: Collection[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Variable(name):
                yield name
            case Condition():
                yield from _used(part.then)
                yield from _used(part.otherwise or [])
