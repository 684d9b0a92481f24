"""What differs between the proxies that ask us: how they tell what the browser wants, and what they do with a no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from doorward.messages.http import HttpQuestion
from doorward.outpost.fields import Fields


class Forwarded(NamedTuple):
    """The browser's request as the proxy tells it."""

    method: str
    scheme: str
    """http, https, ws or wss."""
    host: str
    """With the port, if one was named."""
    target: str
    """Path and query, as on the request line; ASCII."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of proxy."""

    name: str
    read: Callable[[Fields, HttpQuestion], Forwarded | None]
    """None when the proxy did not say what we must know, or said it in a way that could mean two things."""
    relays_answers: bool
    """The proxy hands our whole answer to the browser, so we can redirect, set cookies and show pages through it.
    Otherwise it only looks at the status."""
    unreadable: tuple[int, str] = (500, "configuration error")
    """Status and text for a proxy whose ``read`` gave None."""
