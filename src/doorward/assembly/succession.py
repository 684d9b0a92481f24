"""The new supervisor's part of a takeover: what it was given, and how it says how it goes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import MutableMapping

import msgspec

from doorward.messages.handover import ENVIRONMENT, Handover
from doorward.messages.plan import ChildFailed, ChildReady, Notice, Plan


class Succession:
    def __init__(self, handover: Handover) -> None:
        self.handover = handover
        os.set_inheritable(handover.lock, False)
        os.set_inheritable(handover.said, False)

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Succession | None:
        """What this process was given; None when it takes over from nobody."""
        number = environment.pop(ENVIRONMENT, "")
        if not number:
            return None
        with os.fdopen(int(number), "rb") as file:
            return cls(msgspec.json.decode(file.read(), type=Handover))

    @property
    def plan(self) -> Plan:
        return msgspec.msgpack.decode(self.handover.plan, type=Plan)

    def say(self, notice: Notice) -> None:
        with contextlib.suppress(OSError):
            os.write(self.handover.said, msgspec.json.encode(notice) + b"\n")

    def ready(self) -> None:
        self.say(ChildReady())

    def failed(self, why: str) -> None:
        self.say(ChildFailed(why))

    def close(self) -> None:
        """In the children: only the supervisor's own end keeps the pipe open."""
        with contextlib.suppress(OSError):
            os.close(self.handover.said)
