"""Logins as people recognise them: which browser, on what, since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

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
    browser, is_phone = named(login.last_user_agent)
    return SeenLogin(login, browser, is_phone, is_this)


def named(user_agent: str) -> tuple[str, bool]:
    """What a browser said it is, in words; and whether it is on a phone."""
    agent = described(user_agent)
    browser, system = agent["user_agent"]["family"], agent["os"]["family"]
    known = [name for name in (browser, system) if name != "Other"]
    words = known[0] if known else _("Unknown browser")
    if len(known) > 1:
        words = _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return words, agent["device"]["family"] == "Mobile"
