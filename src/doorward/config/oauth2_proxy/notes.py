"""What a translation comes to: the configuration, and a note for everything that is not as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from doorward.config.document import Plain
from doorward.config.oauth2_proxy.written import Written


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not as it was."""

    place: str
    option: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.option}: {self.text}"


@dataclass(slots=True)
class Translation:
    """``configuration`` as plain data. ``missing`` are options without an equivalent, ``different`` those that work
    otherwise, ``ignored`` those that nobody will miss, ``open`` what somebody must decide before it can be used."""

    configuration: dict[str, Plain] = field(default_factory=dict)
    missing: list[Note] = field(default_factory=list)
    different: list[Note] = field(default_factory=list)
    ignored: list[Note] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The configuration as YAML."""
        return yaml.safe_dump(self.configuration, sort_keys=False, allow_unicode=True, width=110)


@dataclass(slots=True)
class Part:
    """Translates a part of what is ``written``; what it notes goes into ``made``."""

    written: Written
    made: Translation
    name: str
    """Key of the application."""
    external_url: str
    """For a configuration without ``redirect_url``; may be empty."""
    is_usable: Callable[[str], bool]
    """Whether an expression may run."""

    def different(self, name: str, text: str) -> None:
        """The option works otherwise."""
        self.made.different.append(Note(self.place(name) or "-", name, text))

    def gone(self, place: str, what: str, text: str) -> None:
        """There is nothing like it."""
        self.made.missing.append(Note(place, what, text))

    def place(self, name: str) -> str:
        """Where the option stands; empty when it does not."""
        option = self.written.options.get(name)
        return option.place if option is not None else ""
