"""Events in words: what happened, to what, and what of it deserves attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from doorward.identity.directory.models import User
from doorward.identity.events.models import Event

WORDS = {
    "login": ("logged in", "log-in", "good"),
    "login_failed": ("failed to log in", "shield-x", "bad"),
    "logout": ("logged out", "log-out", ""),
    "authorize_application": ("entered", "door-open", "good"),
    "policy_execution": ("was kept out of", "door-closed", "warn"),
    "model_created": ("created", "plus", ""),
    "model_updated": ("changed", "pencil", ""),
    "model_deleted": ("deleted", "trash-2", "warn"),
    "password_set": ("set the password of", "key-round", ""),
    "secret_view": ("looked at the secret of", "eye", "warn"),
    "secret_rotate": ("replaced the secret of", "rotate-cw", ""),
    "impersonation_started": ("began to act as", "venetian-mask", "warn"),
    "impersonation_ended": ("stopped acting as", "venetian-mask", ""),
    "export_ready": ("made a file of all data of", "download", ""),
    "suspicious_request": ("suspicious request", "shield-alert", "bad"),
    "configuration_warning": ("configuration warning", "triangle-alert", "warn"),
    "configuration_error": ("configuration error", "circle-alert", "bad"),
    "policy_exception": ("a policy broke", "circle-alert", "bad"),
    "system_exception": ("something broke", "circle-alert", "bad"),
}
"""Verb, icon, colour."""
KINDS = {
    "outpost": "",
    "proxyprovider": "proxy provider",
    "oauth2provider": "OAuth2 provider",
    "policybinding": "the access of",
    "authenticatedsession": "login",
    "certificatekeypair": "certificate",
    "flowstagebinding": "stage of a flow",
    "scopemapping": "scope",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as a line."""

    event: Event
    who: str
    verb: str
    subject: str
    icon: str
    kind: str


def told(event: Event) -> Happening:
    """``event`` in words."""
    verb, icon, kind = WORDS.get(event.action, (event.action.replace("_", " "), "activity", ""))
    return Happening(event, _who(event), verb, _subject(event.context), icon, kind)


def about_user(user: User, most: int = 10) -> list[Happening]:
    """The newest that the user did, or that was done to them."""
    theirs = Q(user__pk=user.pk) | Q(context__model__model_name="user", context__model__pk=str(user.pk))
    return [told(event) for event in Event.objects.filter(theirs)[:most]]


def latest(most: int = 8) -> list[Happening]:
    """The newest of all."""
    return [told(event) for event in Event.objects.all()[:most]]


def _who(event: Event) -> str:
    name = event.user.get("username")
    if name and (other := event.user.get("on_behalf_of")):
        return f"{name} (as {other.get('username')})"
    if not name and event.action == "login_failed":
        name = event.context.get("username")
    return str(name or ("Somebody" if event.client_ip else "Doorward"))


def _subject(context: dict[str, Any]) -> str:
    for key in (
        "model",
        "authorized_application",
        "target",
        "provider",
        "secret_of",
        "of_user",
        "impersonated",
        "application",
    ):
        found = context.get(key)
        if isinstance(found, dict) and found.get("name"):
            kind = str(found.get("model_name", ""))
            return f"{KINDS.get(kind, kind)} {found['name']}".strip()
    return str(context.get("message", ""))[:200]
