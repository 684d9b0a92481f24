"""What a source says about somebody who comes from there, as plain data that a plan can carry."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Known = Literal["connected", "linking", "new"]


class UpstreamGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """A group that somebody is in upstream."""

    identifier: str
    name: str
    attributes: dict[str, object] = {}


class Arrival(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Somebody from a source. ``source`` and ``identifier`` say who; the rest is what the source says about them."""

    source: str
    """Its key."""
    slug: str = ""
    identifier: str
    """Never given to another by the source; the one thing that people are recognised by."""
    username: str = ""
    name: str = ""
    email: str = ""
    """Empty for what is no address."""
    email_verified: bool = False
    """The source says that the address was proven to be theirs."""
    attributes: dict[str, object] = {}
    groups: tuple[UpstreamGroup, ...] | None = None
    """None where the source says nothing about groups; then none are taken away."""
    session: str = ""
    """What the source calls its own session, in words of its kind; empty where it does not say."""
    info: dict[str, object] = {}
    """What an OAuth provider has said, as it said it, for policies of the flow (``oauth_userinfo``); no token in it."""
    known: Known = "new"
    """How it was decided: by a connection, by one that is made with this login, or not known yet."""
    user: int | None = None
    """Who that is here."""

    def prompt_data(self) -> dict[str, str | bool | int | float]:
        """What prompts and policies of a flow find filled in."""
        data: dict[str, str | bool | int | float] = {
            key: value
            for key, value in (("username", self.username), ("name", self.name), ("email", self.email))
            if value
        }
        for key, value in self.attributes.items():
            if isinstance(value, str | bool | int | float):
                data[f"attributes.{key}"] = value
        return data
