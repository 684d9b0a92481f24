"""What passes when a new version takes over from the running one: between two versions, so every field that is added
needs a default, and what is unknown is ignored.

    doorward upgrade ── WhatRuns, TakeOver ──► running supervisor ── Handover ──► new supervisor
                     ◄── Running, Saying, TakenOver, NotTakenOver     ◄── notices (``messages.plan``)
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.plan import DemoPlan

# doorward upgrade → supervisor, one JSON line each on the supervisor's socket


class WhatRuns(Struct, frozen=True, tag=True):
    pass


class TakeOver(Struct, frozen=True, tag=True):
    """Start the new version, and go when it is ready."""

    program: tuple[str, ...]
    """Its command line; the ``Handover`` comes by a descriptor that ``ENVIRONMENT`` names."""
    plan: bytes
    """``Plan`` as the new version reads it."""
    patience: float = 60.0
    """Seconds in which it must be ready."""


Wish = WhatRuns | TakeOver

# supervisor → doorward upgrade


class Running(Struct, frozen=True, tag=True):
    version: str
    pid: int
    config_file: str
    demo: DemoPlan | None = None


class Saying(Struct, frozen=True, tag=True):
    """A sentence for whoever waits."""

    text: str


class TakenOver(Struct, frozen=True, tag=True):
    pid: int
    """The new supervisor."""


class NotTakenOver(Struct, frozen=True, tag=True):
    """Everything is as it was."""

    why: str


Said = Running | Saying | TakenOver | NotTakenOver

# supervisor → new supervisor

ENVIRONMENT = "DOORWARD_HANDOVER"
"""Number of the descriptor from which the ``Handover`` is read, as JSON."""


class InheritedSockets(Struct, frozen=True):
    """The sockets that listen on one address."""

    host: str
    port: int
    """Host and port as the configuration has them."""
    descriptors: tuple[int, ...]
    shared: bool = False
    """Every worker accepts from every one of them. Otherwise each is one worker's, and the kernel spreads connections
    over them (SO_REUSEPORT)."""


class Handover(Struct, frozen=True):
    plan: bytes
    elder: int
    """Process number of the supervisor that hands over."""
    sockets: tuple[InheritedSockets, ...]
    lock: int
    """Descriptor that holds the state folder's lock."""
    said: int
    """Descriptor to which the new supervisor writes its notices."""
    kept: bool = False
    """Somebody else keeps the process number of the first start alive and passes signals on."""
