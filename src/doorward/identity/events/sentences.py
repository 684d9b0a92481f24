"""Events in words: who did what to what. Whole sentences with places for names, so that they can be translated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.events.models import Event

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SENTENCES: dict[str, tuple[_StrPromise, str, str]] = {
    "login": (gettext_lazy("%(who)s logged in"), "log-in", "good"),
    "login_failed": (gettext_lazy("%(who)s failed to log in"), "shield-x", "bad"),
    "logout": (gettext_lazy("%(who)s logged out"), "log-out", ""),
    "user_write": (gettext_lazy("%(who)s filled in %(what)s"), "user-round-pen", ""),
    "authorize_application": (gettext_lazy("%(who)s entered %(what)s"), "door-open", "good"),
    "policy_execution": (gettext_lazy("%(who)s was kept out of %(what)s"), "door-closed", "warn"),
    "model_created": (gettext_lazy("%(who)s created %(what)s"), "plus", ""),
    "model_updated": (gettext_lazy("%(who)s changed %(what)s"), "pencil", ""),
    "model_deleted": (gettext_lazy("%(who)s deleted %(what)s"), "trash-2", "warn"),
    "password_set": (gettext_lazy("%(who)s set the password of %(what)s"), "key-round", ""),
    "secret_view": (gettext_lazy("%(who)s looked at the secret of %(what)s"), "eye", "warn"),
    "secret_rotate": (gettext_lazy("%(who)s replaced the secret of %(what)s"), "rotate-cw", ""),
    "secret_key_rotated": (gettext_lazy("The secret key was exchanged"), "rotate-cw", ""),
    "restored": (gettext_lazy("A backup was restored"), "archive-restore", "warn"),
    "source_linked": (gettext_lazy("%(who)s linked %(what)s"), "link", ""),
    "invitation_used": (gettext_lazy("%(who)s used the invitation %(what)s"), "mail-check", ""),
    "impersonation_started": (gettext_lazy("%(who)s began to act as %(what)s"), "venetian-mask", "warn"),
    "impersonation_ended": (gettext_lazy("%(who)s stopped acting as %(what)s"), "venetian-mask", ""),
    "export_ready": (gettext_lazy("%(who)s made a file of all data of %(what)s"), "download", ""),
    "email_sent": (gettext_lazy("%(who)s sent a letter to %(what)s"), "mail", ""),
    "access_request_created": (gettext_lazy("%(who)s asked to enter %(what)s"), "hand", ""),
    "access_request_approved": (gettext_lazy("%(who)s let somebody enter %(what)s"), "badge-check", "good"),
    "access_request_denied": (gettext_lazy("%(who)s refused somebody to enter %(what)s"), "badge-x", "warn"),
    "access_request_revoked": (gettext_lazy("%(who)s took back the leave to enter %(what)s"), "badge-minus", "warn"),
    "suspicious_request": (gettext_lazy("Suspicious request of %(who)s: %(what)s"), "shield-alert", "bad"),
    "configuration_warning": (gettext_lazy("Configuration warning: %(what)s"), "triangle-alert", "warn"),
    "configuration_error": (gettext_lazy("Configuration error: %(what)s"), "circle-alert", "bad"),
    "policy_exception": (gettext_lazy("A policy broke: %(what)s"), "circle-alert", "bad"),
    "property_mapping_exception": (gettext_lazy("A mapping broke: %(what)s"), "circle-alert", "bad"),
    "system_task_execution": (gettext_lazy("%(who)s did a chore: %(what)s"), "activity", ""),
    "system_task_exception": (gettext_lazy("A chore failed: %(what)s"), "circle-alert", "bad"),
    "system_exception": (gettext_lazy("Something broke: %(what)s"), "circle-alert", "bad"),
}
"""Sentence, icon, colour."""
_OTHER = (gettext_lazy("%(who)s: %(action)s %(what)s"), "activity", "")
ACTION_NAMES: dict[str, _StrPromise] = {
    "login": gettext_lazy("Login"),
    "login_failed": gettext_lazy("Login failed"),
    "logout": gettext_lazy("Logout"),
    "user_write": gettext_lazy("User data written"),
    "authorize_application": gettext_lazy("Application entered"),
    "policy_execution": gettext_lazy("Kept out by a policy"),
    "model_created": gettext_lazy("Object created"),
    "model_updated": gettext_lazy("Object changed"),
    "model_deleted": gettext_lazy("Object deleted"),
    "password_set": gettext_lazy("Password set"),
    "secret_view": gettext_lazy("Secret looked at"),
    "secret_rotate": gettext_lazy("Secret replaced"),
    "secret_key_rotated": gettext_lazy("Secret key exchanged"),
    "restored": gettext_lazy("Backup restored"),
    "source_linked": gettext_lazy("Source linked"),
    "invitation_used": gettext_lazy("Invitation used"),
    "impersonation_started": gettext_lazy("Acting as somebody begun"),
    "impersonation_ended": gettext_lazy("Acting as somebody ended"),
    "export_ready": gettext_lazy("Data exported"),
    "email_sent": gettext_lazy("Letter sent"),
    "access_request_created": gettext_lazy("Access requested"),
    "access_request_approved": gettext_lazy("Access granted on request"),
    "access_request_denied": gettext_lazy("Access refused on request"),
    "access_request_revoked": gettext_lazy("Access taken back"),
    "suspicious_request": gettext_lazy("Suspicious request"),
    "configuration_warning": gettext_lazy("Configuration warning"),
    "configuration_error": gettext_lazy("Configuration error"),
    "policy_exception": gettext_lazy("Policy broke"),
    "property_mapping_exception": gettext_lazy("Mapping broke"),
    "system_task_execution": gettext_lazy("Chore done"),
    "system_task_exception": gettext_lazy("Chore failed"),
    "system_exception": gettext_lazy("Something broke"),
    "custom_": gettext_lazy("Custom"),
}
"""What happened, as a heading: for filters and plots."""
KINDS: dict[str, _StrPromise] = {
    "application": gettext_lazy("application %(name)s"),
    "authenticatedsession": gettext_lazy("login %(name)s"),
    "blueprintinstance": gettext_lazy("blueprint %(name)s"),
    "brand": gettext_lazy("brand %(name)s"),
    "certificatekeypair": gettext_lazy("certificate %(name)s"),
    "expressionpolicy": gettext_lazy("expression policy %(name)s"),
    "flow": gettext_lazy("flow %(name)s"),
    "flowstagebinding": gettext_lazy("stage of a flow %(name)s"),
    "group": gettext_lazy("group %(name)s"),
    "invitation": gettext_lazy("invitation %(name)s"),
    "notificationrule": gettext_lazy("notification rule %(name)s"),
    "notificationtransport": gettext_lazy("notification transport %(name)s"),
    "oauth2provider": gettext_lazy("OAuth2 provider %(name)s"),
    "outpost": gettext_lazy("%(name)s"),
    "policybinding": gettext_lazy("the access of %(name)s"),
    "proxyprovider": gettext_lazy("proxy provider %(name)s"),
    "role": gettext_lazy("role %(name)s"),
    "scopemapping": gettext_lazy("scope %(name)s"),
    "settings": gettext_lazy("the system settings"),
    "token": gettext_lazy("token %(name)s"),
    "user": gettext_lazy("user %(name)s"),
}
"""What an event is about; of other kinds, the kind's own name and the object's."""
_SUBJECTS = (
    "model",
    "authorized_application",
    "target",
    "provider",
    "secret_of",
    "of_user",
    "impersonated",
    "application",
    "source",
    "invitation",
    "user",
)


def sentence(event: Event) -> str:
    """``event`` in words, in the language that is active."""
    return fill(event.action, who(event), subject(event))


def fill(action: str, who: str, what: str) -> str:
    """The sentence of ``action`` with these in their places."""
    pattern = SENTENCES.get(action, _OTHER)[0]
    places = str(pattern)
    filled = (places % {"who": who, "what": what, "action": action.replace("_", " ")}).strip()
    if what and "%(what)s" not in places:
        return f"{filled}: {what}"  # such as why a login failed
    return filled.rstrip(":：").strip()  # as other languages write it, too


def look(action: str) -> tuple[str, str]:
    """Icon and colour."""
    return SENTENCES.get(action, _OTHER)[1:]


def who(event: Event) -> str:
    """Whose doing it was."""
    name = event.user.get("username")
    if name and isinstance(other := event.user.get("on_behalf_of"), dict):
        return _("%(name)s (as %(other)s)") % {"name": name, "other": other.get("username")}
    if not name and event.action == "login_failed":
        name = event.context.get("username")
    return str(name or (_("Somebody") if event.client_ip else "Doorward"))


def subject(event: Event) -> str:
    """What it was done to; empty where nothing is known."""
    context: dict[str, Any] = event.context
    for key in _SUBJECTS:
        found = context.get(key)
        if isinstance(found, dict) and found.get("name"):
            kind, name = str(found.get("model_name", "")), str(found["name"])
            pattern = KINDS.get(kind)
            return str(pattern) % {"name": name} if pattern is not None else f"{kind} {name}".strip()
    for key in ("message", "to_email", "policy", "name"):
        if isinstance(context.get(key), str) and context[key]:
            return str(context[key])[:200]
    return ""
