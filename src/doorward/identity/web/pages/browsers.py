"""Logins as people recognise them: which browser, on what, since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from doorward.identity.api.core.user_agents import described
from doorward.identity.logins.models import LoginSession


@dataclass(frozen=True, slots=True)
class SeenLogin:
    login: LoginSession
    browser: str
    is_phone: bool
    is_this: bool
    """Whether it is the one that asks."""


def seen(logins: Iterable[LoginSession], this: LoginSession | None) -> list[SeenLogin]:
    """``logins`` with what their browsers said they are."""
    return [_seen(login, this is not None and login.pk == this.pk) for login in logins]


def _seen(login: LoginSession, is_this: bool) -> SeenLogin:
    agent = described(login.last_user_agent)
    browser, system = agent["user_agent"]["family"], agent["os"]["family"]
    known = [name for name in (browser, system) if name != "Other"]
    return SeenLogin(login, " on ".join(known) or "Unknown browser", agent["device"]["family"] == "Mobile", is_this)
