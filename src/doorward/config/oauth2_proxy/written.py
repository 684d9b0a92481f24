"""What a configuration of oauth2-proxy says, whichever way: options by the name that they have in its TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doorward.config.document import Plain, read_text
from doorward.config.oauth2_proxy.known import IGNORED, LISTS, NOTHING_LIKE_IT, TAKEN
from doorward.config.problems import ConfigurationError, Problem, nearest
from doorward.config.toml_text import read_toml

PREFIX = "OAUTH2_PROXY_"
_SINGULAR = {plural: plural.removesuffix("s") for plural in LISTS}
_BY_SINGULAR = {singular: plural for plural, singular in _SINGULAR.items()}
_NAMES = frozenset(TAKEN) | frozenset(IGNORED) | frozenset(NOTHING_LIKE_IT)


@dataclass(frozen=True, slots=True)
class Option:
    """One option and where it stands."""

    value: Plain
    place: str


@dataclass(frozen=True, slots=True)
class Injection:
    """A request field out of a claim (alpha format)."""

    header: str
    claim: str
    prefix: str
    place: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server, as either format says it."""

    path: str
    url: str
    place: str
    pass_host: bool | None = None
    insecure: bool | None = None
    timeout: str = ""


@dataclass(slots=True)
class Written:
    """Everything that is said."""

    options: dict[str, Option] = field(default_factory=dict)
    upstreams: list[Upstream] | None = None
    """Those of the alpha format; None where that is not used."""
    injections: list[Injection] | None = None
    unknown: list[tuple[str, str, str]] = field(default_factory=list)
    """Place, name, what may have been meant."""
    unlike: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Place, name, why there is nothing like it, and what is nearest."""
    shuts: list[str] = field(default_factory=list)
    """Rules about who may enter that have no equivalent."""

    def set(self, name: str, value: Plain, place: str) -> None:
        """Say an option; what is said later wins."""
        if name not in _NAMES:
            self.unknown.append((place, name, nearest(name, _NAMES)))
        else:
            self.options[name] = Option(value, place)

    def text(self, name: str, default: str = "") -> str:
        """An option that is one text."""
        option = self.options.get(name)
        if option is None or option.value is None:
            return default
        value = option.value
        return str(value[0] if isinstance(value, list) and len(value) == 1 else value)

    def flag(self, name: str, default: bool = False) -> bool:
        """An option that is on or off."""
        option = self.options.get(name)
        if option is None:
            return default
        return str(option.value).lower() in ("true", "1", "t", "yes", "")

    def texts(self, name: str) -> list[str]:
        """An option that is a list, written as one or with commas."""
        option = self.options.get(name)
        if option is None or option.value is None:
            return []
        values = option.value if isinstance(option.value, list) else str(option.value).split(",")
        return [text for value in values if (text := str(value).strip())]


def from_toml(written: Written, file: Path) -> None:
    """Add what a ``.cfg`` or ``.toml`` file says. Raises ConfigurationError."""
    document = read_toml(read_text(file), str(file))
    if not isinstance(document.data, dict):
        raise ConfigurationError([Problem("is no configuration", str(file))])
    for name, value in document.data.items():
        line = document.line((name,))
        # A flag's own spelling is taken, too: many write them into the file.
        plain = name.replace("-", "_")
        written.set(_BY_SINGULAR.get(plain, plain), value, f"{file}:{line}" if line else str(file))


def from_flags(written: Written, arguments: Sequence[str]) -> None:
    """Add what a command line says: ``--name=value``, ``--name value``, ``--switch``."""
    lists: dict[str, list[Plain]] = {}
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        at += 1
        if not argument.startswith("-"):
            continue  # the program's own name, as people paste it
        flag, equals, value = argument.lstrip("-").partition("=")
        name = flag.replace("-", "_")
        if not equals and at < len(arguments) and not arguments[at].startswith("-"):
            value, at = arguments[at], at + 1
        if name in _BY_SINGULAR or name in LISTS:
            lists.setdefault(_BY_SINGULAR.get(name, name), []).extend(value.split(","))
        else:
            written.set(name, value, f"--{flag}")
    for name, values in lists.items():
        written.set(name, values, f"--{_SINGULAR[name].replace('_', '-')}")


def from_environment(written: Written, environment: Mapping[str, str]) -> None:
    """Add what ``OAUTH2_PROXY_…`` variables say."""
    for variable, value in sorted(environment.items()):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX).lower()
            written.set(_BY_SINGULAR.get(name, name), value, variable)


def variables_of(file: Path) -> dict[str, str]:
    """What a file of ``NAME=value`` lines says (``docker --env-file``). Raises ConfigurationError."""
    found: dict[str, str] = {}
    for line in read_text(file).splitlines():
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", line)
        if match:
            found[match[1]] = match[2].strip().strip("\"'")
    return found
