"""The outpost's configuration from the environment: every option of the file, and authentik's three names.

``DOORWARD_OUTPOST_ISSUER_CLIENT_ID`` is ``issuer.clientId``: words are separated by ``_`` and their case does not
matter. What is in the environment wins over the file. Lists are written with commas, lists of expressions with line
breaks; ``DOORWARD_OUTPOST_APPLICATIONS_WIKI_UPSTREAMS_0_URL`` is the first upstream of the application ``wiki``.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Union, get_args, get_origin

from doorward.config.document import Document, KeyPath, Plain
from doorward.config.outpost import OutpostConfiguration
from doorward.config.problems import ConfigurationError, Problem, nearest
from doorward.config.section import Section, WithCommas

PREFIX = "DOORWARD_OUTPOST_"
NOT_OPTIONS = frozenset({f"{PREFIX}CONFIG"})
AUTHENTIK = {"AUTHENTIK_HOST": "url", "AUTHENTIK_TOKEN": "token", "AUTHENTIK_INSECURE": "insecureSkipVerify"}
_MAX_LIST = 64


def add(document: Document, environment: Mapping[str, str]) -> dict[KeyPath, str]:
    """Put what the environment says into ``document``. Answers which variable each place came from.

    Raises ConfigurationError for a variable that is no option."""
    if document.data is None:
        document.data = {}
    root = document.data
    if not isinstance(root, dict):
        return {}
    sources: dict[KeyPath, str] = {}
    problems: list[Problem] = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in NOT_OPTIONS:
            continue
        words = variable[len(PREFIX) :].split("_")
        place = _place(OutpostConfiguration, words, root)
        if place is None:
            hint = nearest(variable[len(PREFIX) :], (name.upper() for name in _names(OutpostConfiguration)))
            problems.append(Problem("is no option" + (f"; {hint}" if hint else ""), f"environment: {variable}"))
            continue
        path, annotation = place
        _put(root, path, _value(annotation, environment[variable]))
        sources[_folded(path)] = variable
    if "identityProvider" not in root and not _has(root, "issuer") and environment.get("AUTHENTIK_HOST"):
        for variable, name in AUTHENTIK.items():
            if environment.get(variable):
                _put(root, ("identityProvider", name), environment[variable])
                sources["identityprovider", name.lower()] = variable
    if problems:
        raise ConfigurationError(problems)
    return sources


def told(error: ConfigurationError, sources: Mapping[KeyPath, str]) -> ConfigurationError:
    """The same problems, each with the variable that it stands in, if it is one."""
    by_text = {_text(path): variable for path, variable in sources.items()}
    return ConfigurationError(
        [
            Problem(problem.message, f"environment: {by_text[problem.path.lower()]}", 0, problem.path)
            if problem.path.lower() in by_text
            else problem
            for problem in error.problems
        ]
    )


def _place(annotation: object, words: list[str], data: Plain) -> tuple[KeyPath, object] | None:
    """The option that ``words`` lead to: its path and type."""
    wanted = _bare(annotation)
    if not words:
        return ((), annotation) if not _is_section(wanted) else None
    if isinstance(wanted, type) and issubclass(wanted, Section):
        return _in_section(wanted, words, data)
    arguments = get_args(wanted)
    if get_origin(wanted) is dict:
        for name, rest in _keys(words, data):
            below = data.get(name) if isinstance(data, dict) else None
            found = _place(arguments[1], rest, below)
            if found is not None:
                return (name, *found[0]), found[1]
    if get_origin(wanted) is tuple and words[0].isdigit() and int(words[0]) < _MAX_LIST:
        number = int(words[0])
        below = data[number] if isinstance(data, list) and number < len(data) else None
        found = _place(arguments[0], words[1:], below)
        return None if found is None else ((number, *found[0]), found[1])
    return None


def _in_section(section: type[Section], words: list[str], data: Plain) -> tuple[KeyPath, object] | None:
    named = ((field.alias or name, field) for name, field in section.model_fields.items())
    fields = {alias.lower(): (alias, field) for alias, field in named}
    for count in range(len(words), 0, -1):
        name = "".join(words[:count]).lower()
        if name not in fields:
            continue
        alias, field = fields[name]
        written = _spelled(data, alias)
        below = data.get(written) if isinstance(data, dict) else None
        whole: object = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        found = _place(whole, words[count:], below)
        if found is not None:
            return (written, *found[0]), found[1]
    return None


def _keys(words: list[str], data: Plain) -> Iterator[tuple[str, list[str]]]:
    """Names of a mapping that ``words`` could begin with; one that is there already goes first."""
    splits = [("-".join(words[:count]).lower(), words[count:]) for count in range(1, len(words) + 1)]
    known = {key.lower().replace("_", "-"): key for key in data} if isinstance(data, dict) else {}
    yield from ((known[name], rest) for name, rest in splits if name in known)
    yield from ((name, rest) for name, rest in splits if name not in known)


def _put(root: dict[str, Plain], path: KeyPath, value: Plain) -> None:
    here: Plain = root
    for part, following in zip(path, (*path[1:], None), strict=True):
        fresh: Plain = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(here, dict) and isinstance(part, str):
            if following is None or not isinstance(here.get(part), dict | list):
                here[part] = fresh
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int):
            while len(here) <= part:
                here.append({})
            if following is None:
                here[part] = fresh
            here = here[part]


def _value(annotation: object, text: str) -> Plain:
    wanted = _bare(annotation)
    if get_origin(wanted) is tuple and not _takes_commas(annotation):
        return [line for line in text.split("\n") if line.strip()]
    if wanted in (int, float) and text.isdigit():
        return int(text)
    return text


def _takes_commas(annotation: object) -> bool:
    if get_origin(annotation) is not Annotated:
        return False
    return WithCommas in get_args(annotation)[1:]


def _bare(annotation: object) -> object:
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _is_section(wanted: object) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Section)


def _spelled(data: Plain, alias: str) -> str:
    """As the file spells the key, where it has it."""
    return next((key for key in data if key.lower() == alias.lower()), alias) if isinstance(data, dict) else alias


def _has(data: dict[str, Plain], name: str) -> bool:
    return any(key.lower() == name for key in data)


def _names(section: type[Section]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield name
        inner = _bare(field.annotation)
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from (f"{name}_{below}" for below in inner.model_fields)


def _folded(path: KeyPath) -> KeyPath:
    return tuple(part.lower() if isinstance(part, str) else part for part in path)


def _text(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text.lower()
