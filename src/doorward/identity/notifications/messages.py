"""One message, as each transport wants it. What authentik's webhooks receive, ours do, by the same names."""

from __future__ import annotations

import json
from typing import Protocol

from django.contrib.auth.models import AnonymousUser
from django.utils import translation
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.egress import client
from doorward.identity.events.models import Event
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.languages.choice import for_letter_to
from doorward.identity.mail import outbox
from doorward.identity.notifications import words
from doorward.identity.notifications.models import Transport, WebhookMapping
from doorward.identity.policies.event_matching import facts_of
from doorward.identity.policies.expressions import evaluate

LARGEST_BODY = 64 * 1024
COLOURS = {"notice": "#17605a", "warning": "#8a5a00", "alert": "#a4262c"}
TROUBLE = (client.NotAsked, ExpressionFailed, OSError, ValueError)
"""What sending may raise."""
_FORBIDDEN = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Message(Protocol):
    """What is to be said; a delivery is one."""

    @property
    def user(self) -> User | None: ...
    @property
    def event(self) -> Event: ...
    @property
    def severity(self) -> str: ...
    @property
    def body(self) -> str: ...


def send(transport: Transport, message: Message) -> str:
    """Send it, and say what came of it. Raises NotAsked, ExpressionFailed, ValueError (a body that is not JSON)."""
    if transport.mode == Transport.Mode.EMAIL:
        return _by_mail(transport, message)
    return _by_webhook(transport, message)


def _by_mail(transport: Transport, message: Message) -> str:
    user = message.user
    if user is None or not user.email:
        return "There is nobody with an address."
    with translation.override(for_letter_to(user)):
        outbox.post(
            user.email,
            f"{transport.email_subject_prefix}{message.body}",
            "event_notification",
            {
                "user": user,
                "what": message.body,
                "severity": _severity(message.severity),
                "url": words.address_of(message.event),
                "event": message.event,
            },
        )
    return f"A letter to {user.email} is on its way." if outbox.is_configured() else "No mail server is configured."


def _severity(severity: str) -> str:
    return {"notice": _("Notice"), "warning": _("Warning"), "alert": _("Alert")}.get(severity, severity)


def _by_webhook(transport: Transport, message: Message) -> str:
    plain = _for_slack(message) if transport.mode == Transport.Mode.WEBHOOK_SLACK else _plain(message)
    content = _mapped(transport.webhook_mapping_body, message) if transport.webhook_mapping_body else plain
    body = json.dumps(content, ensure_ascii=True).encode()
    if len(body) > LARGEST_BODY:
        raise ValueError(f"the body is larger than {LARGEST_BODY:,} bytes")
    headers = {"Content-Type": "application/json", "User-Agent": "Doorward", **_headers(transport, message)}
    answer = client.ask("POST", transport.webhook_url, headers=headers, body=body, private=True)
    if not 200 <= answer.status < 300:
        raise client.Unreachable(f"The webhook answered {answer.status}.")
    return f"The webhook answered {answer.status}."


def _headers(transport: Transport, message: Message) -> dict[str, str]:
    if transport.webhook_mapping_headers is None:
        return {}
    found = _mapped(transport.webhook_mapping_headers, message)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ExpressionFailed("the headers have to be a dict of texts")
    for name, value in found.items():
        if not str(name).isascii() or not str(name).replace("-", "").isalnum() or name.lower() in _FORBIDDEN:
            raise ExpressionFailed(f"“{str(name)[:100]}” is no header that can be set")
        if not value.isprintable():
            raise ExpressionFailed(f"the header {name} has characters that cannot be sent")
    return {str(name): value for name, value in found.items()}


def _mapped(mapping: WebhookMapping, message: Message) -> object:
    """Names besides the usual ones: ``notification`` with body, severity, event."""
    about = {"body": message.body, "severity": message.severity, "event": facts_of(message.event)}
    return evaluate(mapping.expression, message.user or AnonymousUser(), more={"notification": about}).value


def _plain(message: Message) -> dict[str, object]:
    by = message.event.user
    return {
        "body": message.body,
        "severity": message.severity,
        "user_email": message.user.email if message.user is not None else "",
        "user_username": message.user.username if message.user is not None else "",
        "event_user_email": str(by.get("email", "")),
        "event_user_username": str(by.get("username", "")),
        "event_pk": str(message.event.pk),
        "event_action": message.event.action,
        "event_url": words.address_of(message.event),
        "created": message.event.created.isoformat(),
    }


def _for_slack(message: Message) -> dict[str, object]:
    fields = [
        {"title": "Severity", "value": message.severity, "short": True},
        {"title": "User", "value": str(message.event.user.get("username", "") or "-"), "short": True},
    ]
    if message.event.client_ip:
        fields.append({"title": "Address", "value": message.event.client_ip, "short": True})
    return {
        "username": "Doorward",
        "attachments": [
            {
                "author_name": "Doorward",
                "author_link": words.address_of(message.event),
                "fallback": _unmarked(message.body),
                "title": _unmarked(message.body),
                "color": COLOURS.get(message.severity, COLOURS["notice"]),
                "fields": [{**field, "value": _unmarked(str(field["value"]))} for field in fields],
                "ts": int(message.event.created.timestamp()),
            }
        ],
    }


def _unmarked(text: str) -> str:
    """A name that somebody chose is no link and mentions nobody: ``<!channel>``, ``<https://…|…>``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
