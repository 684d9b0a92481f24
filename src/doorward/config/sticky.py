"""``sticky.cookie``: how a client is kept with the server that it met first (``contracts/proxy.md`` section 8.1)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from doorward.config.section import Flag, Section, Text

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{0,256}", re.ASCII)
_ATTRIBUTE = re.compile(r"[ -:<-~]{0,1024}", re.ASCII)


def _name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be the name of a cookie: letters, digits, - and _")
    return text


def _attribute(text: str) -> str:
    if not _ATTRIBUTE.fullmatch(text):
        raise ValueError("must not have semicolons, control characters or letters outside ASCII")
    return text


def _path(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError("must start with /")
    return _attribute(text)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class StickyCookie(Section):
    """A cookie that names the server, or the service, which the client met first."""

    name: Annotated[Text, AfterValidator(_name)] = ""
    """Made of the service's name by default."""
    secure: Flag = False
    """Browsers send it over TLS only."""
    http_only: Flag = False
    """Scripts do not see it."""
    same_site: Annotated[Literal["", "none", "lax", "strict"], BeforeValidator(_lower)] = ""
    """``none`` needs ``secure``, or browsers drop the cookie."""
    max_age: int = Field(default=0, ge=-1)
    """Seconds; 0 keeps the cookie until the browser closes."""
    path: Annotated[Text, AfterValidator(_path)] = "/"
    """Where browsers send it."""
    domain: Annotated[Text, AfterValidator(_attribute)] = ""
    """Whose hosts browsers send it to; the host that set it by default."""


class Sticky(Section):
    cookie: StickyCookie | None = None
    """``{}`` for all defaults."""
